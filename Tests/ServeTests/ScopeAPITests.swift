import AsyncHTTPClient
import Events
import Ledger
import Logging
import NIOCore
import NIOHTTP1
import PostgresClient
import ServiceLifecycle
import TestSupport
import Testing

@testable import Serve

@Suite("Repositories over HTTP", .timeLimit(.minutes(10))) struct ScopeAPITests {
    private static let tooMany = #"{"dids":["# + Array(repeating: #""did:plc:a""#, count: 10_001).joined(separator: ",") + "]}"

    @Test(
        "what is wrong with a body is told with its place and what is allowed",
        arguments: [
            ("", "bad_body", nil, nil), ("{", "bad_body", nil, nil), (#"{"dids":["did:plc:a"]}x"#, "bad_body", nil, nil),
            (#"{"dids":["did:plc:a"],"dids":[]}"#, "bad_body", nil, nil), ("[]", "bad_body", "", nil), ("{}", "bad_body", "", nil),
            (#"{"did":["did:plc:a"]}"#, "unknown_member", "/did", "did"), (#"{"dids":["did:plc:a"],"a/b~":1}"#, "unknown_member", "/a~1b~0", "a/b~"),
            (#"{"dids":"did:plc:a"}"#, "bad_body", "/dids", nil), (#"{"dids":[]}"#, "bad_body", "/dids", "0"),
            (tooMany, "too_many", "/dids", "10001"), ("[" + String(repeating: "1,", count: 30_000) + "1]", "too_many", nil, nil),
            (#"{"dids":["did:plc:a","plc:b"]}"#, "bad_did", "/dids/1", "plc:b"), (#"{"dids":["did:plc:a",7]}"#, "bad_did", "/dids/1", "a number"),
            (#"{"dids":["did:plc:a\u0000"]}"#, "bad_did", "/dids/0", nil), (#"{"dids":["did:plc:a b"]}"#, "bad_did", "/dids/0", "did:plc:a b"),
        ] as [(String, String, String?, String?)])
    func badBodies(body: String, code: String, pointer: String?, given: String?) async throws {
        let problem = try #require(throws: Problem.self) { try ScopeBody(Array(body.utf8)) }
        #expect(problem.code.rawValue == code)
        #expect(problem.pointer == pointer)
        if let given { #expect(problem.given == given) }
        #expect(problem.allowed?.isEmpty == false)
        #expect(problem.code.status == .badRequest)
    }

    @Test("a long text that is no DID is told in part, and each DID counts once")
    func texts() throws {
        let long = "did:plc:" + String(repeating: "!", count: 5_000)
        let problem = try #require(throws: Problem.self) { try ScopeBody(Array(#"{"dids":["\#(long)"]}"#.utf8)) }
        #expect(problem.given?.count == 256)
        let body = try ScopeBody(Array(#" {"dids" : ["did:plc:b", "did:web:a.example%3A8080", "did:plc:\u0062"]} "#.utf8))
        #expect(body.dids == ["did:plc:b", "did:web:a.example%3A8080"])
    }

    @Test("who may not change anything is told why, before the body is read")
    func writes() throws {
        func problem(_ bind: String, _ scope: APIScope, _ headers: [(String, String)], body: Bool = true) throws -> String? {
            let fields = headers + (body ? [("Content-Length", "10")] : [])
            let request = try Request(method: .POST, target: "/repos/add", headers: .init(fields), localPort: 7480)
            return WriteGuard(bind: BindAddress(bind), scope: scope).problem(request)?.code.rawValue
        }
        let (open, closed) = (APIScope(isTracking: true, allowsWrites: true), APIScope(isTracking: true, allowsWrites: false))
        let json = [("Content-Type", "application/json; charset=utf-8")]
        for bind in ["127.0.0.1:0", "localhost:7480", "[::1]:7480", "127.3.0.1:1"] { #expect(try problem(bind, closed, json) == nil) }
        for bind in ["0.0.0.0:7480", "[::]:7480", "10.0.0.1:7480", "127.0.0.1.example:80", "127.example:80", "127.0.0.256:80", "nonsense"] {
            #expect(try problem(bind, closed, json) == "writes_not_allowed", "\(bind)")
            #expect(try problem(bind, open, json) == nil)
        }
        let own = "127.0.0.1:7480"
        for origin in ["http://localhost:7480", "http://127.0.0.1:7480", "HTTP://[::1]:7480"] {
            #expect(try problem(own, closed, json + [("Origin", origin)]) == nil, "\(origin)")
        }
        // The last one is what a page sees whose name was made to point here.
        for origin in [
            "null", "", "https://evil.example", "http://localhost", "http://localhost:80", "https://localhost:7480", "http://evil.example:7480",
        ] {
            let headers = json + [("Origin", origin), ("Host", "evil.example:7480")]
            #expect(try problem(own, closed, headers) == "foreign_origin", "\(origin)")
            #expect(try problem("0.0.0.0:7480", open, headers) == "foreign_origin", "\(origin)")
        }
        for type in ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", "", "text/json, application/json"] {
            #expect(try problem(own, closed, [("Content-Type", type)]) == "unsupported_media_type", "\(type)")
        }
        #expect(try problem(own, closed, []) == "unsupported_media_type")
        #expect(try problem(own, closed, [], body: false) == nil)
        #expect(try problem(own, closed, json + [("Content-Encoding", "gzip")]) == "unsupported_media_type")
        #expect(try problem(own, closed, [("Content-Type", " Application/JSON ;x"), ("Content-Encoding", "Identity")]) == nil)
        #expect(try problem(own, .live, json) == "nothing_tracked")
    }

    @Test("where nothing is tracked, or others can reach the API, a change is refused and a look is not")
    func refused() async throws {
        try await TestAPI.run(scope: .live) { api in
            let reply = try await api.post("/repos/add", #"{"dids":["did:plc:a"]}"#)
            #expect(reply.status == 409 && reply.body.contains("nothing_tracked") && reply.body.contains("repos.scope"))
            #expect(try await api.get("/repos/did:plc:a").status == 200)
        }
        var configuration = TestAPI.configuration
        configuration.bind = "0.0.0.0:0"
        try await TestAPI.run(configuration) { api in
            let reply = try await api.post("/repos/remove", #"{"dids":["did:plc:a"]}"#)
            #expect(reply.status == 403 && reply.body.contains("api.allow_writes"))
            #expect(try await api.get("/repos").status == 200)
            #expect(await api.repositories.calls == 1)
        }
    }

    @Test(
        "paths, methods and parameters are checked",
        arguments: [
            ("/repos/add", "GET", 405, "method_not_allowed"), ("/repos/add?x=1", "POST", 400, "unknown_parameter"),
            ("/repos", "POST", 405, "method_not_allowed"), ("/repos/", "GET", 200, "repositories"),
            ("/repos/did:plc:a", "DELETE", 405, "method_not_allowed"),
            ("/repos/did:plc:a", "HEAD", 200, ""), ("/repos/nobody", "GET", 400, "bad_did"), ("/repos/did:plc:a/b", "GET", 400, "bad_did"),
            ("/repos?phase=asleep", "GET", 400, "bad_parameter"), ("/repos?after=x", "GET", 400, "bad_parameter"),
            ("/repos?limit=1001", "GET", 400, "bad_parameter"), ("/repos?phase=failed&after=did:plc:a&limit=3", "GET", 200, "repositories"),
            ("/repos/did:web:localhost%253A80", "GET", 200, "did:web:localhost%3A80"),
        ])
    func paths(path: String, method: String, status: UInt, text: String) async throws {
        try await TestAPI.run { api in
            let reply = try await api.get(path, method: method)
            #expect(reply.status == status && reply.body.contains(text), "\(reply)")
        }
    }

    @Test("a path that only takes POST says so")
    func allow() async throws {
        try await TestAPI.run { api in
            try await RawHTTP.connected(api.port) { client in
                try await client.send("GET /repos/add HTTP/1.1\r\nHost: a\r\n\r\nPOST /repos HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(try await client.reply().head.contains("Allow: POST\r\n"))
                #expect(try await client.reply().head.contains("Allow: GET, HEAD\r\n"))
            }
        }
    }

    @Test("a ledger that does not answer is 503, to be tried again")
    func down() async throws {
        try await TestAPI.run { api in
            await api.repositories.setDown(true)
            let reply = try await api.post("/repos/add", #"{"dids":["did:plc:a"]}"#)
            #expect(reply.status == 503 && reply.headers.first(name: "Retry-After") != nil)
            #expect(try await api.get("/repos").status == 503)
        }
    }

    @Test("over a real ledger: repositories are added, looked at, listed, wanted again and removed")
    func real() async throws {
        try await RealStores.with { stores in
            try await serving(stores) { url in
                func post(_ path: String, _ body: String) async throws -> String { try await Self.post(url + path, body) }
                #expect(try await post("/repos/add", #"{"dids":["did:plc:b","did:plc:a"]}"#).contains(#""counts":{"added":2}"#))
                #expect(try await post("/repos/add", #"{"dids":["did:plc:a"]}"#).contains(#"{"did":"did:plc:a","result":"already_wanted"}"#))
                let job = try #require(try await stores.ledger.claimJob("did:plc:a", deadline: .seconds(60)))
                try await stores.ledger.returnJob(job, host: "pds.example", error: "timed out", retryAfter: .seconds(60), isFailure: true)
                let view = try await Self.get(url + "/repos/did:plc:a")
                #expect(view.contains(#""phase":"failed""#) && view.contains(#""wanted":true"#) && view.contains(#""error":"timed out""#), "\(view)")
                #expect(view.contains(#""records":0,"held":0"#) && view.contains(#""retry_at":"#))
                let list = try await Self.get(url + "/repos?phase=failed")
                #expect(list.contains(#"{"did":"did:plc:a","phase":"failed""#) && !list.contains("did:plc:b") && !list.contains("after"))
                #expect(try await Self.get(url + "/repos?limit=1").contains(#""after":"did:plc:a""#))
                let resync = try await post("/repos/resync", #"{"dids":["did:plc:a","did:plc:c"]}"#)
                #expect(resync.contains(#""counts":{"requested":1,"not_tracked":1}"#))
                #expect(try await post("/repos/remove", #"{"dids":["did:plc:a"]}"#).contains(#""counts":{"removed":1}"#))
                let removed = try await Self.get(url + "/repos/did:plc:a")
                #expect(removed.contains(#""phase":"removed""#) && removed.contains(#""request":"remove""#))
            }
        }
    }

    private static func get(_ url: String) async throws -> String {
        String(buffer: try await TestHTTP.client.execute(.init(url: url), timeout: .minutes(5)).body.collect(upTo: 1 << 20))
    }

    private static func post(_ url: String, _ body: String) async throws -> String {
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/json")
        request.body = .bytes(ByteBuffer(string: body))
        return String(buffer: try await TestHTTP.client.execute(request, timeout: .minutes(5)).body.collect(upTo: 1 << 20))
    }

    private func serving(_ stores: RealStores, _ body: @Sendable (String) async throws -> Void) async throws {
        let (ports, bound) = AsyncStream<Int>.makeStream()
        let service = try APIService(
            configuration: TestAPI.configuration, ledger: stores.ledger, outlet: stores.outlet, streams: nil, shards: ShardMap(count: 4),
            scope: APIScope(isTracking: true, allowsWrites: false), metrics: nil, logger: SharedServers.quietLogger, onBound: { bound.yield($0) })
        let group = ServiceGroup(services: [service], logger: SharedServers.quietLogger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                defer { bound.finish() }
                try await group.run()
            }
            var iterator = ports.makeAsyncIterator()
            let port = try #require(await iterator.next())
            try await body("http://127.0.0.1:\(port)")
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }
}
