internal import AsyncHTTPClient
internal import NIOCore
internal import NIOPosix

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// The body of an answer, chunk by chunk: the next one is read from the host only when it is asked for.
struct HostBody {
    var contentType = ""
    /// Bytes so far.
    private(set) var count = 0
    private var chunks: HTTPClientResponse.Body.AsyncIterator
    private let endpoint: HostEndpoint
    private let deadline: ContinuousClock.Instant
    private let timeout: Duration
    private var pace: TransferPace

    init(_ body: HTTPClientResponse.Body, _ configuration: HostClientConfiguration, _ endpoint: HostEndpoint) {
        chunks = body.makeAsyncIterator()
        self.endpoint = endpoint
        timeout = configuration.transferTimeout
        deadline = .now + timeout
        pace = TransferPace(leastBytesPerSecond: configuration.leastBytesPerSecond, window: configuration.paceWindow)
    }

    /// The next chunk, nil at the end; throws `tooLarge` above `limit` bytes in all, `unavailable` where the body breaks off or comes too slowly.
    mutating func next(upTo limit: Int, isolation: isolated (any Actor)? = #isolation) async throws(HostError) -> ByteBuffer? {
        let start = ContinuousClock.now
        let chunk: ByteBuffer?
        do {
            chunk = try await chunks.next(isolation: isolation)
        } catch {
            throw HostError(error, at: endpoint)
        }
        guard let chunk else {
            if Task.isCancelled { throw HostError(.cancelled, "the request was cancelled", host: endpoint.authority) }
            return nil
        }
        count += chunk.readableBytes
        guard count <= limit else { throw HostError(.tooLarge, "the answer has more than \(limit) bytes", host: endpoint.authority) }
        let now = ContinuousClock.now
        guard pace.received(chunk.readableBytes, waited: now - start) else {
            throw HostError(.unavailable, "less than \(pace.leastBytesPerSecond) bytes a second arrive", host: endpoint.authority)
        }
        guard now < deadline else { throw HostError(.unavailable, "the answer is not whole after \(timeout)", host: endpoint.authority) }
        return chunk
    }

    mutating func collect(upTo limit: Int, isolation: isolated (any Actor)? = #isolation) async throws(HostError) -> [UInt8] {
        var bytes: [UInt8] = []
        while let chunk = try await next(upTo: limit) { bytes += chunk.readableBytesView }
        return bytes
    }
}

extension HostError {
    /// What the HTTP client says.
    init(_ error: any Error, at endpoint: HostEndpoint) {
        if Task.isCancelled || error is CancellationError || (error as? HTTPClientError) == .cancelled {
            self.init(.cancelled, "the request was cancelled", host: endpoint.authority)
        } else if let error = error as? HTTPClientError {
            self.init(.unavailable, error.shortDescription, host: endpoint.authority)
        } else if let reason = Self.unreached(error) {
            self.init(.unavailable, "no connection: \(reason)", host: endpoint.authority)
        } else {
            let text = HostAnswer.printable("\(error)", scalars: 200)
            let isDistrusted = text.contains("CERTIFICATE_VERIFY_FAILED")
            self.init(.unavailable, isDistrusted ? "its certificate is not trusted: \(text)" : text, host: endpoint.authority)
        }
    }
    /// Why no connection came about, where that is so: of several addresses what the last one answered.
    private static func unreached(_ error: any Error) -> String? {
        switch error {
        case let error as NIOConnectionError:
            guard let last = error.connectionErrors.last?.error ?? error.dnsAError ?? error.dnsAAAAError else { return nil }
            return unreached(last) ?? HostAnswer.printable("\(last)", scalars: 200)
        case let error as IOError:
            return switch error.errnoCode {
            case ECONNREFUSED: "connection refused"
            case EHOSTUNREACH, ENETUNREACH: "there is no way to it"
            case ETIMEDOUT: "nobody answers"
            default: HostAnswer.printable("\(error)", scalars: 200)
            }
        default: return nil
        }
    }
}
