import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1

/// Asks a running fleet over HTTP, as any other client does.
public struct APIClient: Sendable {
    /// `http://host:port`, without a slash at its end.
    public let base: String
    /// Sent as a bearer token where there is one.
    public let token: String?

    public init(base: String, token: String? = nil) {
        self.base = base.hasSuffix("/") ? String(base.dropLast()) : base
        self.token = token
    }

    /// The address to connect to for one that is listened on: `0.0.0.0` is no destination.
    public init(bind: BindAddress, token: String? = nil) {
        let host = ["0.0.0.0", "::"].contains(bind.host) ? "127.0.0.1" : bind.host
        self.init(base: "http://\(BindAddress(host: host, port: bind.port))", token: token)
    }

    /// One answer, whatever its status. At most 64 MiB.
    public func get(_ path: String, timeout: Duration = .seconds(10)) async throws(APIClientError) -> (status: Int, body: [UInt8]) {
        do {
            let response = try await HTTPClient.shared.execute(request(path), timeout: .nanoseconds(Int64(timeout / .nanoseconds(1))))
            let body = try await response.body.collect(upTo: 64 << 20)
            return (Int(response.status.code), Array(body.readableBytesView))
        } catch {
            throw unreachable(error)
        }
    }

    /// Sends a JSON object; anything but success is thrown.
    public func post(_ path: String, json: String, timeout: Duration = .seconds(10)) async throws(APIClientError) {
        let (status, _) = try await send(path, json: Array(json.utf8), timeout: timeout)
        guard status == 200 else { throw APIClientError(code: .refused, message: "\(base)\(path) answers \(status)", status: status) }
    }

    /// Sends JSON; one answer, whatever its status. At most 64 MiB.
    public func send(_ path: String, json: [UInt8], timeout: Duration = .seconds(60)) async throws(APIClientError) -> (status: Int, body: [UInt8]) {
        var request = request(path)
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/json")
        request.body = .bytes(json)
        do {
            let response = try await HTTPClient.shared.execute(request, timeout: .nanoseconds(Int64(timeout / .nanoseconds(1))))
            let body = try await response.body.collect(upTo: 64 << 20)
            return (Int(response.status.code), Array(body.readableBytesView))
        } catch {
            throw unreachable(error)
        }
    }

    /// An order with any method, with a JSON body where there is one; one answer, whatever its status. At most 1 MiB.
    public func order(
        _ method: String, _ path: String, json: [UInt8], timeout: Duration = .seconds(60)
    ) async throws(APIClientError) -> (status: Int, body: [UInt8]) {
        var request = request(path)
        request.method = HTTPMethod(rawValue: method)
        if !json.isEmpty {
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(json)
        }
        do {
            let response = try await HTTPClient.shared.execute(request, timeout: .nanoseconds(Int64(timeout / .nanoseconds(1))))
            let body = try await response.body.collect(upTo: 1 << 20)
            return (Int(response.status.code), Array(body.readableBytesView))
        } catch {
            throw unreachable(error)
        }
    }

    /// Follows an event stream: `onEvent` gets each event, until the server ends the stream, or it returns false.
    ///
    /// - Parameters:
    ///   - path: with its query.
    ///   - lastID: what the server is told as `Last-Event-ID`; empty: nothing.
    /// - Returns: the parser, for its last id and retry; `nil` where the server says that nothing follows any more (204).
    public func follow(
        _ path: String, lastID: String, onEvent: (EventStreamParser.Event) async throws -> Bool
    ) async throws -> EventStreamParser? {
        var request = request(path)
        request.headers.add(name: "Accept", value: "text/event-stream")
        if !lastID.isEmpty { request.headers.add(name: "Last-Event-ID", value: lastID) }
        let response: HTTPClientResponse
        do {
            // The time for the head alone: the stream itself has no end.
            response = try await HTTPClient.shared.execute(request, deadline: .distantFuture)
        } catch {
            throw unreachable(error)
        }
        if response.status == .noContent { return nil }
        guard response.status == .ok else {
            let body = (try? await response.body.collect(upTo: 1 << 16)).map { String(decoding: $0.readableBytesView, as: UTF8.self) } ?? ""
            throw APIClientError(
                code: .refused, message: "\(base)\(path) answers \(response.status.code): \(body)", status: Int(response.status.code))
        }
        var parser = EventStreamParser()
        do {
            for try await buffer in response.body {
                for event in try parser.parse(buffer.readableBytesView) where try await !onEvent(event) { return parser }
            }
        } catch is HTTPClientError {
            // The connection ended: the caller goes on from the last id.
        }
        return parser
    }

    private func request(_ path: String) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: base + path)
        request.headers.add(name: "User-Agent", value: "weir")
        if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        return request
    }

    private func unreachable(_ error: any Error) -> APIClientError {
        APIClientError(code: .unreachable, message: "nothing answers at \(base) (\(error)); is `weir up` or `weir api` running there?")
    }
}
