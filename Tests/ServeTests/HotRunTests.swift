import AsyncHTTPClient
import Events
import Ledger
import NIOCore
import NIOHTTP1
import PostgresClient
import TestSupport
import Testing

@testable import Serve

@Suite("A run that many append to", .timeLimit(.minutes(10))) struct HotRunTests {
    private static func post(_ port: Int, _ path: String, _ body: String) async throws -> (status: UInt, retryAfter: String?, body: String) {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)\(path)")
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/json")
        request.body = .bytes(ByteBuffer(string: body))
        let response = try await TestHTTP.client.execute(request, timeout: .minutes(5))
        return (response.status.code, response.headers.first(name: "Retry-After"), String(buffer: try await response.body.collect(upTo: 1 << 20)))
    }

    /// Waits until so many changes wait outside of the pool.
    private static func waitUntilWaiting(_ port: Int, _ count: Int) async throws {
        for _ in 0..<20_000 {
            if try await TestHTTP.get("http://127.0.0.1:\(port)/metrics").body.contains("weir_run_changes_waiting \(count)\n") { return }
        }
        Issue.record("there were never \(count) changes that wait")
    }

    @Test("50 appends to a run whose row another session holds keep two connections; other runs go on, and all 50 are appended when it is free")
    func held() async throws {
        try await RealStores.with { stores in
            let holder = try await PostgresConnection.connect(try await SharedServers.postgres(schema: stores.ledger.schema, name: "holder"))
            try await stores.serving { port in
                for run in ["hot/1", "cold/1"] { #expect(try await Self.post(port, "/runs", #"{"kind":"k","id":"\#(run)"}"#).status == 201) }
                _ = try await holder.execute("BEGIN; SELECT no FROM runs WHERE id = 'hot/1' FOR UPDATE")
                try await withThrowingTaskGroup(of: UInt.self) { group in
                    for number in 0..<50 {
                        group.addTask { try await Self.post(port, "/runs/hot/1/events", #"{"type":"t","dedup_key":"\#(number)"}"#).status }
                    }
                    try await Self.waitUntilWaiting(port, 48)
                    for number in 1...20 {
                        let reply = try await Self.post(port, "/runs/cold/1/events", #"{"type":"t"}"#)
                        #expect(reply.status == 200 && reply.body.contains("\"last_seq\":\(number),"), "\(reply)")
                    }
                    #expect(try await TestHTTP.get("http://127.0.0.1:\(port)/runs/hot/1").body.contains(#""last_seq":0"#))
                    _ = try await holder.execute("COMMIT")
                    for try await status in group { #expect(status == 200) }
                }
                #expect(try await TestHTTP.get("http://127.0.0.1:\(port)/runs/hot/1").body.contains(#""last_seq":50"#))
                #expect(try await TestHTTP.get("http://127.0.0.1:\(port)/metrics").body.contains("weir_run_changes_waiting 0\n"))
            }
            await holder.close()
        }
    }

    @Test("rows of more runs than there are places for changes are held: what only reads is answered, and all appends are done when they are free")
    func manyHeld() async throws {
        var configuration = TestAPI.configuration
        configuration.changesAtOnce = 2
        try await RealStores.with { stores in
            let holder = try await PostgresConnection.connect(try await SharedServers.postgres(schema: stores.ledger.schema, name: "holder"))
            try await stores.serving(configuration) { port in
                let runs = (1...12).map { "hot/\($0)" }
                for run in runs { #expect(try await Self.post(port, "/runs", #"{"kind":"k","id":"\#(run)"}"#).status == 201) }
                _ = try await holder.execute("BEGIN; SELECT no FROM runs WHERE id LIKE 'hot/%' FOR UPDATE")
                try await withThrowingTaskGroup(of: UInt.self) { group in
                    for run in runs + runs { group.addTask { try await Self.post(port, "/runs/\(run)/events", #"{"type":"t"}"#).status } }
                    let backend = await holder.backendID
                    let held = "SELECT count(*) FROM pg_stat_activity WHERE \(backend) = ANY (pg_blocking_pids(pid))"
                    while try await stores.pool.query(held)[0].value(0, as: Int64.self) < 2 {}
                    #expect(try await stores.pool.query(held)[0].value(0, as: Int64.self) == 2, "the others wait outside of the pool of four")
                    for path in ["/runs/hot/1", "/runs?limit=20", "/status", "/runs/hot/2/events?fromSeq=0"] {
                        #expect(try await TestHTTP.get("http://127.0.0.1:\(port)\(path)").status == 200, "\(path)")
                    }
                    #expect(try await Self.post(port, "/runs", #"{"kind":"k","id":"cold/1"}"#).status == 201)
                    _ = try await holder.execute("COMMIT")
                    for try await status in group { #expect(status == 200) }
                }
                for run in runs { #expect(try await TestHTTP.get("http://127.0.0.1:\(port)/runs/\(run)").body.contains(#""last_seq":2"#)) }
            }
            await holder.close()
        }
    }

    @Test("beyond the bound of those that wait an append is told so, and when to come back; nothing of it is written")
    func full() async throws {
        var configuration = TestAPI.configuration
        configuration.runChangesWaiting = 3
        try await RealStores.with { stores in
            let holder = try await PostgresConnection.connect(try await SharedServers.postgres(schema: stores.ledger.schema, name: "holder"))
            try await stores.serving(configuration) { port in
                #expect(try await Self.post(port, "/runs", #"{"kind":"k","id":"hot/1"}"#).status == 201)
                _ = try await holder.execute("BEGIN; SELECT no FROM runs WHERE id = 'hot/1' FOR UPDATE")
                try await withThrowingTaskGroup(of: UInt.self) { group in
                    for _ in 0..<5 { group.addTask { try await Self.post(port, "/runs/hot/1/events", #"{"type":"t"}"#).status } }
                    try await Self.waitUntilWaiting(port, 3)
                    for path in ["/runs/hot/1/events", "/runs/hot/1/finish"] {
                        let reply = try await Self.post(port, path, path.hasSuffix("finish") ? "{}" : #"{"type":"t"}"#)
                        #expect(reply.status == 503 && reply.retryAfter == "1" && reply.body.contains(#""code":"run_busy""#), "\(reply)")
                    }
                    _ = try await holder.execute("COMMIT")
                    for try await status in group { #expect(status == 200) }
                }
                #expect(try await TestHTTP.get("http://127.0.0.1:\(port)/runs/hot/1").body.contains(#""last_seq":5"#))
            }
            await holder.close()
        }
    }
}
