internal import AsyncHTTPClient
public import Events
internal import NIOCore
internal import NIOHTTP1

/// A request that brings something to a host.
public struct HostPost: Sendable {
    /// With its query; begins with a slash.
    public var path: String
    public var headers: [(name: String, value: String)]
    public var body: [UInt8]
    /// For the whole exchange, but connecting to a host that was not connected to.
    public var timeout: Duration

    public init(path: String, headers: [(name: String, value: String)], body: [UInt8], timeout: Duration) {
        self.path = path
        self.headers = headers
        self.body = body
        self.timeout = timeout
    }

    /// What the host answered, whatever its status is.
    public struct Answer: Hashable, Sendable {
        public var status: Int
        /// How long it asks to stay away.
        public var retryAfter: Duration?
        /// The first bytes of its body, printable.
        public var excerpt: String

        public init(status: Int, retryAfter: Duration?, excerpt: String) {
            self.status = status
            self.retryAfter = retryAfter
            self.excerpt = excerpt
        }
    }
}

extension HostConnections {
    /// Of an answer's body that are read.
    private static let answerBytesMax = 16 << 10

    /// Sends a request to a host; redirects are not followed. Throws `refusedAddress` where the host's name stands for an address that may not be
    /// connected to, `unavailable` where there was no answer in time, `cancelled`.
    public func post(_ post: HostPost, to endpoint: HostEndpoint, now: WallTime) async throws(HostError) -> HostPost.Answer {
        try await withClient(to: endpoint) { client throws(HostError) in
            var request = HTTPClientRequest(url: "\(endpoint)\(post.path)")
            request.method = .POST
            for header in post.headers { request.headers.add(name: header.name, value: header.value) }
            request.body = .bytes(post.body)
            do {
                let response = try await client.execute(request, timeout: TimeAmount(post.timeout))
                let status = Int(response.status.code)
                // The connection is of use again only when the body was read; a long one ends it.
                let body = try? await response.body.collect(upTo: Self.answerBytesMax)
                let text = status / 100 == 2 ? "" : body.map { String(decoding: $0.readableBytesView.prefix(512), as: UTF8.self) } ?? ""
                return HostPost.Answer(
                    status: status, retryAfter: RetryAfter.read(now: now, header: { response.headers.first(name: $0) }),
                    excerpt: HostAnswer.printable(text, scalars: 200))
            } catch {
                throw HostError(error, at: endpoint)
            }
        }
    }
}
