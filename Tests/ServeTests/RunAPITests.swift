import ATProto
import AsyncHTTPClient
import Broker
import Events
import NIOCore
import NIOHTTP1
import ServiceLifecycle
import TestSupport
import Testing

@testable import Ledger
@testable import Serve

@Suite("Runs over HTTP", .timeLimit(.minutes(10))) struct RunAPITests {
    @Test(
        "paths, methods and parameters of commands are checked",
        arguments: [
            ("/runs", "PUT", 405, "method_not_allowed"), ("/runs?x=1", "POST", 400, "unknown_parameter"),
            ("/runs/a/1/events?fromSeq=1", "POST", 400, "unknown_parameter"), ("/runs/a/1/events?expectedSeq=x", "POST", 400, "bad_parameter"),
            ("/runs/a/1/finish", "GET", 405, "method_not_allowed"), ("/runs/a/1/cancel?why=x", "POST", 400, "unknown_parameter"),
            ("/runs/a/1/snapshot", "POST", 405, "method_not_allowed"), ("/runs/a/1/snapshot?cursor=zz", "GET", 400, "bad_parameter"),
            ("/runs/a/1/snapshot?limit=1001", "GET", 400, "bad_parameter"), ("/runs/a/1/snapshot", "GET", 404, "run_not_found"),
            ("/api/agents/runs/a/1/events", "POST", 404, "not_found"), ("/openapi.json?x", "GET", 400, "unknown_parameter"),
            ("/runs/firehose/1/finish", "POST", 403, "run_reserved"), ("/runs/backfill/x/events", "POST", 403, "run_reserved"),
        ])
    func paths(path: String, method: String, status: UInt, code: String) async throws {
        try await TestAPI.run { api in
            let reply = try await api.get(path, method: method)
            #expect(reply.status == status && reply.body.contains("\"code\":\"\(code)\""), "\(reply)")
        }
    }

    @Test("who may not change anything is told so, and a page of another origin is refused")
    func guarded() async throws {
        var configuration = TestAPI.configuration
        configuration.bind = "0.0.0.0:0"
        try await TestAPI.run(configuration) { api in
            let reply = try await api.post("/runs", #"{"kind":"k"}"#)
            #expect(reply.status == 403 && reply.body.contains("api.allow_writes") && reply.body.contains("api.tokens"))
        }
        try await TestAPI.run { api in
            let headers = [("Content-Type", "application/json"), ("Origin", "https://evil.example")]
            let foreign = try await api.post("/runs", #"{"kind":"k"}"#, headers: headers)
            #expect(foreign.status == 403 && foreign.body.contains("foreign_origin"))
            let plain = try await api.post("/runs", #"{"kind":"k"}"#, headers: [("Content-Type", "text/plain")])
            let lines = try await api.post("/runs", "{}", headers: [("Content-Type", "application/x-ndjson")])
            #expect(plain.status == 415 && lines.status == 415)
        }
    }

    @Test("a body above its bound is refused with that bound")
    func largeBody() async throws {
        var configuration = TestAPI.configuration
        configuration.bodyBytesMax = 1 << 10
        try await TestAPI.run(configuration) { api in
            let reply = try await api.post("/runs/a/1/events", String(repeating: " ", count: 1 << 11))
            #expect(reply.status == 413 && reply.body.contains("body_too_large") && reply.body.contains("1024"))
        }
    }

    @Test("over a real ledger: a run is created, fed, followed, read as a snapshot, and ended; each refusal has its code")
    func real() async throws {
        try await RealStores.with { stores in
            try await Self.serving(stores) { api in
                let made = try await api.post("/runs", #"{"kind":"order","id":"orders/7","metadata":{"shop":"é"},"idempotency_key":"i"}"#)
                #expect(made.status == 201 && made.headers.first(name: "Location") == "/runs/orders/7", "\(made)")
                #expect(made.body.contains(#""metadata":{"shop": "é"}"#) && made.body.contains(#""next_seq":{"outlet":1}"#), "\(made)")
                #expect(try await api.post("/runs", #"{"kind":"order","id":"orders/7","metadata":{"shop":"é"},"idempotency_key":"i"}"#).status == 200)
                #expect(try await api.post("/runs", #"{"kind":"x","idempotency_key":"i"}"#).body.contains(#""code":"idempotency_conflict""#))
                let exists = try await api.post("/runs", #"{"kind":"order","id":"orders/7"}"#)
                #expect(exists.status == 409 && exists.body.contains(#""code":"run_exists""#))

                let first = try await api.post(
                    "/runs/orders/7/events?expectedSeq=0",
                    #"[{"type":"order.placed","key":"o1","payload":{"n": 1}},{"type":"order.paid","key":"o1","dedup_key":"d1"},{"type":"note"}]"#)
                #expect(first.status == 200 && first.body.contains(#""run":"orders/7","last_seq":3,"appended":3,"repeated":0"#), "\(first)")
                #expect(first.body.contains(#""seqs":[1,2,3]"#))
                let lines = try await api.post(
                    "/runs/orders/7/events", "{\"type\":\"order.paid\",\"dedup_key\":\"d1\"}\n{\"type\":\"cart.gone\",\"key\":\"c\"}\n",
                    headers: [("Content-Type", "application/x-ndjson")])
                #expect(lines.body.contains(#""last_seq":4,"appended":1,"repeated":1"#) && lines.body.contains(#""seqs":[2,4]"#), "\(lines)")
                let conflict = try await api.post("/runs/orders/7/events?expectedSeq=3", #"{"type":"t"}"#)
                #expect(conflict.status == 409 && conflict.body.contains(#""code":"seq_conflict""#) && conflict.body.contains(#""last_seq":4"#))
                let regressing = try await api.post("/runs/orders/7/events", #"[{"type":"t"},{"type":"t","key":"o1","key_seq":2}]"#)
                #expect(regressing.status == 409 && regressing.body.contains(#""code":"key_regressing""#) && regressing.body.contains("/1/key_seq"))

                let snapshot = try await api.get("/runs/orders/7/snapshot?limit=1").body
                #expect(
                    snapshot.contains(#""last_seq":4,"events":[{"run":"orders/7","seq":4,"kind":"event","type":"cart.gone","key":"c","key_seq":1"#))
                let cursor = try #require(try JSONValue(parsing: Array(snapshot.utf8))["cursor"]?.string)
                #expect(try await api.get("/runs/orders/7/snapshot?limit=1&cursor=\(cursor)").body.contains(#""seq":2,"kind":"event""#))

                try await stores.publishAll(keep: 1000)
                var client = try await SSEClient(api.url("/runs/orders/7/stream?fromSeq=0&type=order.*"))
                let placed = try await client.nextEvent()
                #expect(placed?.id == "1" && placed?.event == "event" && placed?.data?.contains(#""payload":{"n":1}"#) == true)
                #expect(try await client.nextEvent()?.id == "2")

                let ended = try await api.post("/runs/orders/7/finish?expectedSeq=4", "", headers: [])
                #expect(ended.status == 200 && ended.body == #"{"run":"orders/7","state":"finished","last_seq":5,"repeated":false}"#, "\(ended)")
                #expect(try await api.post("/runs/orders/7/finish", "{}").body.contains(#""repeated":true"#))
                try await stores.publishAll(keep: 1000)
                #expect(try await client.nextEvent()?.event == "terminal")
                #expect(try await client.next() == nil)
                let late = try await api.post("/runs/orders/7/events", #"{"type":"t"}"#)
                #expect(late.status == 409 && late.body.contains(#""code":"run_ended""#))
                let cancelled = try await api.post("/runs/orders/7/cancel", #"{"reason":"late"}"#)
                #expect(cancelled.status == 409 && cancelled.body.contains("run_ended"))
                #expect(try await api.get("/runs?state=finished&kind=order").body.contains(#""id":"orders/7""#))
                try await stores.outlet.delete(run: try #require(RunID("orders/7")))
            }
        }
    }

    /// A client of an API over real servers.
    private struct Client {
        let port: Int
        func url(_ path: String) -> String { "http://127.0.0.1:\(port)\(path)" }

        func get(_ path: String) async throws -> (status: UInt, body: String) {
            let response = try await TestHTTP.client.execute(.init(url: url(path)), timeout: .minutes(5))
            return (response.status.code, String(buffer: try await response.body.collect(upTo: 1 << 20)))
        }

        func post(
            _ path: String, _ body: String, headers: [(String, String)] = [("Content-Type", "application/json")]
        ) async throws -> (status: UInt, headers: HTTPHeaders, body: String) {
            var request = HTTPClientRequest(url: url(path))
            request.method = .POST
            request.headers = HTTPHeaders(headers)
            if !body.isEmpty { request.body = .bytes(ByteBuffer(string: body)) }
            let response = try await TestHTTP.client.execute(request, timeout: .minutes(5))
            return (response.status.code, response.headers, String(buffer: try await response.body.collect(upTo: 1 << 20)))
        }
    }

    private static func serving(_ stores: RealStores, _ body: @Sendable (Client) async throws -> Void) async throws {
        let (ports, bound) = AsyncStream<Int>.makeStream()
        let service = try APIService(
            configuration: TestAPI.configuration, ledger: stores.ledger, outlet: stores.outlet, streams: nil, shards: ShardMap(count: 4),
            metrics: nil, logger: SharedServers.quietLogger, onBound: { bound.yield($0) })
        let group = ServiceGroup(services: [service], logger: SharedServers.quietLogger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                defer { bound.finish() }
                try await group.run()
            }
            var iterator = ports.makeAsyncIterator()
            let port = try #require(await iterator.next())
            try await body(Client(port: port))
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }
}
