import Events
import Testing

@testable import Ledger
@testable import Serve

@Suite(.timeLimit(.minutes(10))) struct APITests {
    @Test(
        "what is wrong with a request is a problem document with a stable code",
        arguments: [
            ("/nowhere", "GET", 404, "not_found"), ("/runs/firehose/1", "POST", 405, "method_not_allowed"),
            ("/runs/none/stream", "GET", 404, "run_not_found"), ("/runs/a%20b", "GET", 404, "run_not_found"),
            ("/runs/firehose/1/stream?fromSeq=x", "GET", 400, "bad_parameter"), ("/runs/firehose/1/stream?fromSeq=4", "GET", 400, "cursor_ahead"),
            ("/runs/firehose/1/stream?colections=a.b", "GET", 400, "unknown_parameter"),
            ("/runs/firehose/1/stream?collections=a..b", "GET", 400, "bad_parameter"), ("/runs?limit=0", "GET", 400, "bad_parameter"),
            ("/runs?state=running", "GET", 400, "bad_parameter"), ("/runs/firehose/1/stream?format=xml", "GET", 400, "bad_parameter"),
            ("/streams/firehose?cursor=abc", "GET", 400, "bad_parameter"),
        ])
    func problems(path: String, method: String, status: UInt, code: String) async throws {
        try await TestAPI.run { api in
            await api.append(testEvents(.firehose(1), count: 3))
            let reply = try await api.get(path, method: method)
            #expect(reply.status == status)
            #expect(reply.type == "application/problem+json")
            #expect(reply.body.contains("\"code\":\"\(code)\""), "\(reply.body)")
        }
    }

    @Test("a target or headers above their bound are refused")
    func bounds() async throws {
        try await TestAPI.run { api in
            let long = String(repeating: "a", count: Request.targetBytesMax)
            #expect(try await api.get("/runs/\(long)").status == 414)
            let client = try await SSEClient(api.url("/health"), lastEventID: String(repeating: "1", count: 40_000))
            #expect(client.status == 431)
        }
    }

    @Test("runs are listed by pages, shown with their cursors, and read by pages of events")
    func runs() async throws {
        try await TestAPI.run { api in
            for shard in 0..<3 { await api.append(testEvents(.firehose(shard), count: 5)) }
            let page = try await api.get("/runs?limit=2&state=started")
            #expect(page.status == 200)
            #expect(page.body.contains("\"cursor\":\"firehose/1\""))
            #expect(try await api.get("/runs?limit=2&cursor=firehose/1").body.contains("firehose/2"))
            let run = try await api.get("/runs/firehose/0")
            #expect(run.body.contains("\"last_seq\":5") && run.body.contains("\"next_seq\":{\"outlet\":6}"))
            let events = try await api.get("/runs/firehose/0/events?fromSeq=2&limit=2&collections=a.b.even")
            #expect(events.body.contains("\"seq\":4,") && !events.body.contains("\"seq\":3,"))
            #expect(events.body.contains("\"next_from_seq\":4"))
        }
    }

    @Test("ready says what does not advance, and is ready again when it does")
    func ready() async throws {
        try await TestAPI.run { api in
            #expect(try await api.get("/ready").body == #"{"ready":true,"reasons":[]}"#)
            await api.log.set(.test(owner: nil))
            let reply = try await api.get("/ready")
            #expect(reply.status == 503)
            #expect(reply.body.contains("\"code\":\"shard_unowned\",\"entity\":\"shard 0\""))
            await api.log.set(.test(owner: "w"))
            #expect(try await api.get("/ready").status == 200)
            await api.log.setDown(true)
            #expect(try await api.get("/ready").body.contains("ledger_unavailable"))
            #expect(try await api.get("/health").status == 200)
            #expect(try await api.get("/runs").status == 503)
        }
    }

    @Test("status and metrics are shown")
    func shown() async throws {
        try await TestAPI.run { api in
            await api.log.set(.test(owner: "w"))
            #expect(try await api.get("/status").body.contains("\"shards\":[{\"shard\":0,\"owner\":\"w\""))
            let metrics = try await api.get("/metrics")
            #expect(metrics.type.hasPrefix("text/plain; version=0.0.4"))
            #expect(metrics.body.contains("weir_http_replies_total{status=\"200\"} 1"))
        }
    }

    @Test("a connection above the limit is answered and closed")
    func connectionLimit() async throws {
        var configuration = TestAPI.configuration
        configuration.connectionsMax = 1
        try await TestAPI.run(configuration) { api in
            await api.append(testEvents(.firehose(1), count: 3))
            var client = try await SSEClient(api.url("/runs/firehose/1/stream"))
            #expect(try await client.nextEvent()?.id == "1")
            #expect(try await api.get("/health").body.contains("too_many_connections"))
            #expect(try await client.nextEvent()?.id == "2")
        }
    }
}

extension FleetStatus {
    static func test(owner: String?, offset: UInt64 = 1, lastSeq: Int64 = 0, nextSeq: Int64 = 1, report: UpstreamReport.State = .streaming) -> Self {
        FleetStatus(
            upstreams: [
                Upstream(
                    name: UpstreamName(kind: .firehose, host: "relay.test"), owner: "i", leaseMsLeft: 3000, session: 1,
                    report: UpstreamReport(state: report), reportAgeMs: 100, watermark: nil, rewindPending: false, declaredGaps: 0)
            ],
            shards: [
                ShardStatus(
                    shard: 0, owner: owner, leaseMsLeft: owner == nil ? -1 : 3000, haltedReason: nil,
                    offset: EntryID(milliseconds: offset, sequence: 0), lastSeq: lastSeq, lastCommitAgeMs: nil, nextSeq: nextSeq, held: 0,
                    outboxError: nil)
            ], workers: ["w"], refused: [:])
    }
}
