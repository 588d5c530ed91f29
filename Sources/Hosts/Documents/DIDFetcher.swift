public import ATProto
internal import AsyncHTTPClient
public import Events
internal import NIOCore
internal import NIOHTTP1

/// Fetches and reads one DID's document over HTTP. Owns no cache and no limits of rate: its callers do.
public struct DIDFetcher: Sendable {
    /// What a fetch brought.
    public enum Outcome<Value: Sendable>: Sendable {
        case found(Value)
        /// The answer is final: no such DID, a tombstone, or a document without what was asked for.
        case absent(reason: String)
        /// The peer failed or was too slow: says nothing of the DID.
        case failed(reason: String)
    }

    public let configuration: DIDFetcherConfiguration
    private let connections: HostConnections

    public init(_ configuration: DIDFetcherConfiguration = DIDFetcherConfiguration(), connections: HostConnections) {
        self.configuration = configuration
        self.connections = connections
    }

    /// An account: absent where the document has no usable signing key (`#atproto`).
    public func fetch(_ did: String, now: WallTime) async -> Outcome<ResolvedIdentity> {
        await document(did).map { document in
            guard let key = document.signingKey else { return .absent(reason: "the document has no #atproto key") }
            return .found(
                ResolvedIdentity(
                    did: did, key: key, host: document.host ?? "", handle: document.handle ?? "", labelKey: document.labelKey,
                    labelerHost: document.labeler, fetchedAt: now))
        }
    }

    /// A labeler, which need not have a repository: absent where the document has neither a label key nor a labeler's host.
    public func fetchLabeler(_ did: String, now: WallTime) async -> Outcome<ResolvedLabeler> {
        await document(did).map { document in
            guard document.labelKey != nil || document.labeler != nil else {
                return .absent(reason: "the document has neither an #atproto_label key nor an #atproto_labeler service")
            }
            return .found(ResolvedLabeler(did: did, labelKey: document.labelKey, host: document.labeler, fetchedAt: now))
        }
    }

    /// The document, whatever it says; absent where there is none that can be read.
    public func document(_ did: String) async -> Outcome<DIDDocument> {
        switch DIDLocation(did) {
        case .directory: return await get("\(configuration.plcURL)/\(did)", did, connections.trusted)
        case .unsupported(let reason): return .absent(reason: reason)
        case .host(let name, let port):
            // In this network only a developer's own host has no TLS.
            let address = "\(name == "localhost" ? "http" : "https")://\(name)\(port.map { ":\($0)" } ?? "")"
            guard let host = try? HostEndpoint(address) else { return .absent(reason: "not a host name") }
            do throws(HostError) {
                return try await connections.withClient(to: host) { client in await get("\(host)/.well-known/did.json", did, client) }
            } catch {
                return error.code == .refusedAddress ? .absent(reason: "\(error)") : .failed(reason: "\(error)")
            }
        }
    }

    private func get(_ url: String, _ did: String, _ client: HTTPClient) async -> Outcome<DIDDocument> {
        var request = HTTPClientRequest(url: url)
        request.headers.add(name: "accept", value: "application/did+ld+json, application/json")
        request.headers.add(name: "user-agent", value: "weir")
        let deadline = NIODeadline.now() + TimeAmount(configuration.fetchTimeout)
        do {
            let response = try await client.execute(request, deadline: deadline)
            switch response.status.code {
            case 200: return read(try await body(response, until: deadline), did)
            case 404, 410: return .absent(reason: "the directory answered \(response.status.code)")
            default: return .failed(reason: "HTTP \(response.status.code)")
            }
        } catch is NIOTooManyBytesError {
            return .absent(reason: "the document has more than \(configuration.documentBytes) bytes")
        } catch {
            return .failed(reason: "\(error)")
        }
    }

    /// A peer that drips is seen at its first byte after the deadline, one that is silent by the time-out between bytes.
    private func body(_ response: HTTPClientResponse, until deadline: NIODeadline) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        for try await chunk in response.body {
            bytes += chunk.readableBytesView
            if bytes.count > configuration.documentBytes { throw NIOTooManyBytesError(maxBytes: configuration.documentBytes) }
            if NIODeadline.now() > deadline { throw HTTPClientError.deadlineExceeded }
        }
        return bytes
    }

    private func read(_ body: [UInt8], _ did: String) -> Outcome<DIDDocument> {
        do {
            return .found(try DIDDocument(parsing: body, did: did))
        } catch {
            return .absent(reason: "\(error)")
        }
    }
}

extension DIDFetcher.Outcome {
    fileprivate func map<New>(_ transform: (Value) -> DIDFetcher.Outcome<New>) -> DIDFetcher.Outcome<New> {
        switch self {
        case .found(let value): transform(value)
        case .absent(let reason): .absent(reason: reason)
        case .failed(let reason): .failed(reason: reason)
        }
    }
}
