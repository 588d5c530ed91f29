internal import ATProto
internal import AsyncHTTPClient
public import Events
internal import NIOCore
internal import NIOHTTP1

/// Asks hosts of repositories, `com.atproto.sync.*`, and believes nothing of what they answer.
///
/// Everything is bounded: the time to connect, to answer, between two arrivals of bytes and of a whole body; a body's size and its least speed. What a
/// host does wrong is a ``HostError``. Owns no limits of rate and no retries: `HostBudget` and the callers do.
public struct HostClient: Sendable {
    public let configuration: HostClientConfiguration
    let connections: HostConnections
    let wall: @Sendable () -> WallTime

    /// - Parameter wall: the time, for dates that hosts send.
    public init(
        _ configuration: HostClientConfiguration = HostClientConfiguration(), connections: HostConnections,
        wall: @escaping @Sendable () -> WallTime
    ) {
        self.configuration = configuration
        self.connections = connections
        self.wall = wall
    }

    /// An answer in JSON, at most ``HostClientConfiguration/pageBytes`` long.
    func json(_ method: String, _ query: [(String, String)], at endpoint: HostEndpoint) async throws(HostError) -> JSONValue {
        let body = try await connections.withClient(to: endpoint) { client throws(HostError) in
            try await exchange(method, query, at: endpoint, with: client) { body throws(HostError) in
                try await body.collect(upTo: configuration.pageBytes)
            }
        }
        do {
            return try JSONValue(parsing: body)
        } catch {
            throw HostError(.malformed, "the answer is not JSON: \(error)", host: endpoint.authority)
        }
    }

    /// Sends a request and hands over the body of a 200; any other answer is thrown.
    func exchange<Result>(
        _ method: String, _ query: [(String, String)], at endpoint: HostEndpoint, with client: HTTPClient,
        isolation: isolated (any Actor)? = #isolation, _ use: (inout HostBody) async throws(HostError) -> Result
    ) async throws(HostError) -> Result {
        var request = HTTPClientRequest(url: "\(endpoint)/xrpc/\(method)\(Self.text(query))")
        request.headers.add(name: "user-agent", value: "weir")
        request.headers.add(name: "accept", value: "*/*")
        let response: HTTPClientResponse
        do {
            response = try await client.execute(request, timeout: TimeAmount(configuration.answerTimeout))
        } catch {
            throw HostError(error, at: endpoint)
        }
        var body = HostBody(response.body, configuration, endpoint)
        if response.status != .ok {
            // A refusal whose body can't be had is one all the same.
            let text = (try? await body.collect(upTo: HostAnswer.refusalBytesMax)) ?? []
            let refusal = HostAnswer.refusal(
                status: Int(response.status.code), body: text, host: endpoint, now: wall(), header: { response.headers.first(name: $0) })
            throw refusal ?? HostError(.malformed, "HTTP \(response.status.code)", host: endpoint.authority)
        }
        if let type = response.headers.first(name: "content-type") { body.contentType = type.lowercased() }
        return try await use(&body)
    }

    /// `?name=value&…`; everything but letters, digits and `-._~:` is escaped, as a cursor may hold anything.
    static func text(_ query: [(String, String)]) -> String {
        query.enumerated().map { "\($0 == 0 ? "?" : "&")\($1.0)=\(escaped($1.1))" }.joined()
    }

    private static func escaped(_ value: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in value.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                bytes.append(byte)
            case _ where "-._~:".utf8.contains(byte): bytes.append(byte)
            default: bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
