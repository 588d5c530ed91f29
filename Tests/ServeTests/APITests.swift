import ATProto
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
            ("/streams/firehose?cursor=abc", "GET", 400, "bad_parameter"), ("/streams/labels?cursor=abc", "GET", 400, "bad_parameter"),
            ("/labels", "GET", 400, "bad_parameter"), ("/labels?uri=", "GET", 400, "bad_parameter"),
            ("/labels?uri=at://handle.test/a.b.c/d", "GET", 400, "bad_parameter"), ("/labels?uri=did:plc:a&src=me", "GET", 400, "bad_parameter"),
            ("/labels?uris=did:plc:a", "GET", 400, "unknown_parameter"), ("/labels?uri=did:plc:a", "POST", 405, "method_not_allowed"),
            ("/labels?" + (0...100).map { "uri=did:plc:a\($0)" }.joined(separator: "&"), "GET", 400, "bad_parameter"),
            ("/labels?uri=did:plc:a&src=" + (0...100).map { "did:plc:a\($0)" }.joined(separator: ","), "GET", 400, "bad_parameter"),
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

    @Test("the labels of subjects that stand are shown, of all sources or of some, and never more than their bound")
    func labels() async throws {
        @Sendable func label(_ uri: String, _ val: String, src: String = "did:plc:l", _ signature: StoredLabel.Signature = .valid, exp: String = "")
            -> StoredLabel
        {
            StoredLabel(
                key: .init(subject: LabelIdentity.subject(uri).bytes, label: Array(val.utf8)), src: src, uri: uri, cid: exp.isEmpty ? "" : "bafy",
                val: val, neg: false, cts: "2026-01-01T00:00:00Z", createdAt: WallTime(microseconds: 0), exp: exp, expiresAt: nil,
                ver: exp.isEmpty ? nil : 1, signature: signature, host: "h", position: Position(epoch: 0, seq: 1), place: 0)
        }
        let post = "at://did:plc:a/app.bsky.feed.post/3k"
        try await TestAPI.run { api in
            #expect(try await api.get("/labels?uri=\(post)").body == #"{"labels":[]}"#)
            await api.log.set([
                label(post, "spam", exp: "2999-01-01T00:00:00Z"), label("did:plc:a", "rude", src: "did:web:m.test", .unsigned),
                label("did:plc:b", "other"),
            ])
            let both = try await api.get("/labels?uri=at%3A%2F%2Fdid%3Aplc%3Aa%2Fapp.bsky.feed.post%2F3k&uri=did:plc:a")
            #expect(both.status == 200 && both.type == "application/json")
            #expect(
                both.body
                    == #"{"labels":[{"src":"did:plc:l","uri":"\#(post)","cid":"bafy","val":"spam","cts":"2026-01-01T00:00:00Z","#
                    + #""exp":"2999-01-01T00:00:00Z","ver":1,"signed":"valid"},"#
                    + #"{"src":"did:web:m.test","uri":"did:plc:a","val":"rude","cts":"2026-01-01T00:00:00Z","signed":"unsigned"}]}"#)
            #expect(try await api.get("/labels?uri=\(post)&uri=did:plc:a&src=did:web:m.test").body.contains("rude"))
            #expect(try await !api.get("/labels?uri=\(post)&uri=did:plc:a&src=did:web:m.test").body.contains("spam"))
            await api.log.set((0...LogQueries.labelsMax).map { label("did:plc:a", "v\($0)") })
            let many = try await api.get("/labels?uri=did:plc:a").body
            #expect(many.hasSuffix(#"],"truncated":true}"#) && !many.contains("\"v\(LogQueries.labelsMax)\""))
            await api.log.setDown(true)
            #expect(try await api.get("/labels?uri=did:plc:a").status == 503)
            #expect(try await api.get("/").body.contains("/labels?uri="))
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
