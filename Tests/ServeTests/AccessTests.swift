import Events
import Flow
import NIOHTTP1
import Synchronization
import Testing

@testable import Serve

@Suite("Tokens", .timeLimit(.minutes(10))) struct AccessTests {
    private static let reader = "reader:read:0123456789abcdef"
    private static let shop = "shop:read+append:shop-0123456789abcdef:orders/+carts/"
    private static let boss = "boss:admin+read+append:boss~0123456789abcdef=="

    private static func access(anonymous: Bool = false, rate: Int = 1000, burst: Int = 1000, connections: Int = 100) throws -> APIAccess {
        APIAccess(
            tokens: try [reader, shop, boss].map { try APIToken($0) }, allowsAnonymousReads: anonymous,
            rate: .init(perSecond: rate, burst: burst), connectionsMax: connections)
    }

    private static func bearer(_ token: String) -> [(String, String)] { [("Authorization", "Bearer \(token.split(separator: ":")[2])")] }

    @Test("a token is read, and only the digest of its secret is kept; a digest may stand in its place")
    func tokens() throws {
        let shop = try APIToken(Self.shop)
        #expect(shop.name == "shop" && shop.scopes == [.read, .append] && shop.prefixes == ["orders/", "carts/"])
        #expect(!String(reflecting: shop).contains("0123456789"))
        // printf %s 0123456789abcdef | sha256sum
        let hashed = try APIToken("x:read:sha256=9f9f5111f7b27a781f1f1ddde5ebc2dd2b796bfc7365c9c28b548e564176929f")
        #expect(hashed.digest == (try APIToken(Self.reader)).digest)
        #expect(try !APIToken.haveDifferentSecrets([hashed, APIToken(Self.reader)]))
    }

    @Test(
        "a text that is no token is refused, and its secret is not told",
        arguments: [
            "", "a:read", "a:read:short", ":read:0123456789abcdef", "a::0123456789abcdef", "a:write:0123456789abcdef",
            "a:read,append:0123456789abcdef",
            "a b:read:0123456789abcdef", "a:read:0123456789 abcdef", "a:read:sha256=zz9f5111f7b27a781f1f1ddde5ebc2dd2b796bfc7365c9c28b548e564176929f",
            "a:read:0123456789abcdef:", "a:read:0123456789abcdef:x+", "a:read:0123456789abcdef:x y",
        ])
    func badTokens(text: String) throws {
        let error = try #require(throws: APIToken.NotAToken.self) { try APIToken(text) }
        #expect(!error.message.contains("0123456789"))
    }

    private func refusal(
        _ method: HTTPMethod, _ target: String, _ headers: [(String, String)] = [], gate: AccessGate
    ) throws -> String? {
        let request = try Request(method: method, target: target, headers: .init(headers))
        let route = try Router(servesLog: true).route(request)
        do throws(Problem) {
            _ = try gate.admit(request, to: route, now: .zero)
            return nil
        } catch {
            return error.code.rawValue
        }
    }

    @Test(
        "each route asks for its scope, and a token with prefixes reaches its runs only",
        arguments: [
            (HTTPMethod.GET, "/runs/orders/1", nil, nil, nil), (.GET, "/runs/other/1/events", nil, "forbidden", nil),
            (.GET, "/runs/orders/1/stream", nil, nil, nil), (.GET, "/runs/orders/1/snapshot", nil, nil, nil), (.GET, "/runs", nil, nil, nil),
            (.POST, "/runs", "forbidden", nil, nil), (.POST, "/runs/orders/1/events", "forbidden", nil, nil),
            (.POST, "/runs/orders/1/finish", "forbidden", nil, nil), (.POST, "/runs/firehose/1/cancel", "forbidden", "forbidden", nil),
            (.GET, "/status", nil, "forbidden", nil), (.GET, "/metrics", nil, "forbidden", nil), (.GET, "/streams/firehose", nil, "forbidden", nil),
            (.GET, "/repos", nil, "forbidden", nil), (.POST, "/repos/add", "forbidden", "forbidden", nil), (.GET, "/health", nil, nil, nil),
            (.GET, "/ready", nil, nil, nil), (.GET, "/openapi.json", nil, nil, nil),
        ] as [(HTTPMethod, String, String?, String?, String?)])
    func scopes(method: HTTPMethod, target: String, reader: String?, shop: String?, boss: String?) throws {
        let gate = AccessGate(try Self.access())
        #expect(try refusal(method, target, Self.bearer(Self.reader), gate: gate) == reader)
        #expect(try refusal(method, target, Self.bearer(Self.shop), gate: gate) == shop)
        #expect(try refusal(method, target, Self.bearer(Self.boss), gate: gate) == boss)
        let isOpen = ["/health", "/ready", "/openapi.json"].contains(target)
        #expect(try refusal(method, target, gate: gate) == (isOpen ? nil : "unauthorized"))
        let anonymous = AccessGate(try Self.access(anonymous: true))
        #expect(try refusal(method, target, gate: anonymous) == (method == .GET ? nil : "unauthorized"))
        #expect(try refusal(method, target, gate: AccessGate(.off)) == nil)
    }

    @Test("a token stands in the header, or at a GET in the query, and nowhere else is it kept")
    func places() throws {
        let gate = AccessGate(try Self.access())
        let secret = "0123456789abcdef"
        #expect(try refusal(.GET, "/runs?access_token=\(secret)&limit=3", gate: gate) == nil)
        #expect(try refusal(.POST, "/repos/add?access_token=\(secret)", gate: gate) == "unauthorized")
        #expect(try refusal(.GET, "/runs?access_token=\(secret)", Self.bearer(Self.reader), gate: gate) == "bad_request")
        for header in ["Basic \(secret)", "Bearer", "Bearer a b", "bearer  ", "Bearer é"] {
            #expect(try refusal(.GET, "/runs", [("Authorization", header)], gate: gate) == "unauthorized", "\(header)")
        }
        #expect(try refusal(.GET, "/runs", [("Authorization", "bearer \(secret)")], gate: gate) == nil)
        #expect(try refusal(.GET, "/runs", [("Authorization", "Bearer \(secret)0")], gate: gate) == "unauthorized")
        #expect(try refusal(.GET, "/runs?access_token=\(secret)%zz", gate: gate) == "unauthorized")
        let request = try Request(method: .GET, target: "/nowhere?x=1&access_token=\(secret)")
        #expect(request.query.map(\.name) == ["x"])
        let problem = try #require(throws: Problem.self) { try Router(servesLog: true).route(request) }
        #expect(!String(decoding: problem.reply.body, as: UTF8.self).contains(secret))
    }

    @Test("over HTTP: without a token 401 with a challenge, beyond its scope 403, and with it what it may")
    func overHTTP() async throws {
        try await TestAPI.run(access: try Self.access()) { api in
            let json = [("Content-Type", "application/json")]
            let unauthorized = try await api.post("/runs", #"{"kind":"k"}"#)
            #expect(unauthorized.status == 401 && unauthorized.headers.first(name: "WWW-Authenticate") == "Bearer realm=\"weir\"")
            #expect(try await api.post("/runs", #"{"kind":"k"}"#, headers: json + Self.bearer(Self.reader)).status == 403)
            // A page of another origin cannot send a token, so who has one is no page's victim.
            let made = try await api.post(
                "/runs", #"{"kind":"k","id":"orders/1"}"#, headers: json + Self.bearer(Self.shop) + [("Origin", "https://shop.example")])
            #expect(made.status == 201 && made.body.contains(#""created_by":"shop""#), "\(made)")
            let foreign = try await api.post("/runs", #"{"kind":"k","id":"other/1"}"#, headers: json + Self.bearer(Self.shop))
            #expect(foreign.status == 403 && foreign.body.contains(#""code":"forbidden""#))
            let named = try await api.post("/runs", #"{"kind":"k"}"#, headers: json + Self.bearer(Self.shop))
            #expect(named.headers.first(name: "Location")?.hasPrefix("/runs/orders/") == true)
            _ = try await api.post("/runs", #"{"kind":"k","id":"other/1"}"#, headers: json + Self.bearer(Self.boss))
            let list = try await api.get("/runs", headers: Self.bearer(Self.shop)).body
            #expect(list.contains("orders/1") && !list.contains("other/1"))
            #expect(try await api.get("/runs?access_token=0123456789abcdef").body.contains("other/1"))
            let client = try await SSEClient(api.url("/runs/orders/1/stream?access_token=0123456789abcdef"))
            #expect(client.status == 200)
        }
    }

    @Test("a token that asks too often is told when to come back, and another one is not")
    func rate() async throws {
        try await TestAPI.run(access: try Self.access(rate: 1, burst: 3)) { api in
            for _ in 0..<3 { #expect(try await api.get("/runs", headers: Self.bearer(Self.reader)).status == 200) }
            try await RawHTTP.connected(api.port) { client in
                try await client.send("GET /runs HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer 0123456789abcdef\r\n\r\n")
                let reply = try await client.reply()
                #expect(reply.status == 429 && reply.head.contains("Retry-After: 1\r\n") && reply.body.contains("rate_limited"), "\(reply)")
            }
            #expect(try await api.get("/runs", headers: Self.bearer(Self.boss)).status == 200)
            #expect(try await api.get("/health").status == 200)
        }
    }

    @Test(
        "tokens that change while the API runs: one that is gone is refused and its streams end, one that stays notices nothing, a new one is let in")
    func replaced() async throws {
        var configuration = TestAPI.configuration
        configuration.accessEvery = .milliseconds(10)
        let next = Mutex<APIAccess?>(nil)
        try await TestAPI.run(configuration, access: try Self.access(rate: 1, burst: 5), newAccess: { next.withLock { $0 } }) { api in
            await api.append(testEvents(.firehose(1), count: 1))
            var gone = try await SSEClient(api.url("/runs/firehose/1/stream?access_token=0123456789abcdef"))
            #expect(try await gone.nextEvent()?.id == "1")
            var stays = try await SSEClient(api.url("/runs/firehose/1/stream?access_token=boss~0123456789abcdef=="))
            #expect(try await stays.nextEvent()?.id == "1")
            let tokens = try [Self.boss, "new:read:fedcba9876543210"].map { try APIToken($0) }
            next.withLock { $0 = APIAccess(tokens: tokens, rate: .init(perSecond: 1, burst: 5), connectionsMax: 100) }
            let closing = try await gone.nextEvent()
            #expect(closing?.event == "closing" && closing?.data?.contains("token_revoked") == true, "\(String(describing: closing))")
            #expect(try await gone.nextEvent() == nil)
            let reader = try await api.get("/runs", headers: Self.bearer(Self.reader))
            #expect(reader.status == 401 && reader.body.contains("there is no such token"))
            #expect(try await api.get("/runs", headers: [("Authorization", "Bearer fedcba9876543210")]).status == 200)
            await api.append(testEvents(.firehose(1), from: 2, count: 1, terminal: true))
            #expect(try await stays.nextEvent()?.id == "2")
        }
    }

    @Test("a token that stays as it was keeps what it has used of its limits; one with other scopes is another one")
    func kept() throws {
        let gate = AccessGate(try Self.access(rate: 1, burst: 2))
        for _ in 0..<2 { #expect(try refusal(.GET, "/runs", Self.bearer(Self.reader), gate: gate) == nil) }
        gate.replace(try Self.access(rate: 1, burst: 2))
        #expect(try refusal(.GET, "/runs", Self.bearer(Self.reader), gate: gate) == "rate_limited")
        gate.replace(APIAccess(tokens: [try APIToken("reader:append:0123456789abcdef")], rate: .init(perSecond: 1, burst: 2), connectionsMax: 100))
        #expect(try refusal(.GET, "/runs", Self.bearer(Self.reader), gate: gate) == "forbidden")
        #expect(try refusal(.GET, "/runs", Self.bearer(Self.boss), gate: gate) == "unauthorized")
    }

    private static func ask(_ client: inout RawHTTP, _ path: String) async throws -> Int {
        try await client.send("GET \(path) HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer 0123456789abcdef\r\n\r\n")
        return try await client.reply().status
    }

    @Test("a token has so many connections at once, streams included, and one that ends makes room")
    func connections() async throws {
        try await TestAPI.run(access: try Self.access(connections: 2)) { api in
            await api.append(testEvents(.firehose(1), count: 1))
            try await RawHTTP.connected(api.port) { first in
                for _ in 0..<3 {
                    let status = try await Self.ask(&first, "/runs")
                    #expect(status == 200, "one connection counts once")
                }
                try await RawHTTP.connected(api.port) { third in
                    var stream = try await SSEClient(api.url("/runs/firehose/1/stream?access_token=0123456789abcdef"))
                    #expect(stream.status == 200)
                    let refused = try await Self.ask(&third, "/runs")
                    #expect(refused == 429)
                    let health = try await Self.ask(&third, "/health")
                    #expect(health == 200)
                    await api.append(testEvents(.firehose(1), from: 2, count: 1, terminal: true))
                    while try await stream.next() != nil {}
                    // The server leaves the stream's connection behind its last byte: each refusal is one more look.
                    var status = 429
                    for _ in 0..<10_000 where status == 429 { status = try await Self.ask(&third, "/runs") }
                    #expect(status == 200)
                }
            }
        }
    }
}
