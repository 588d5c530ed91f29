import Events
import PostgresClient
import Testing

@testable import Ledger

@Suite(.timeLimit(.minutes(10))) struct SinkTests {
    private func definition(_ name: String, _ settings: [String: String] = [:]) throws -> SinkDefinition {
        let all = ["kind": "stdout", "start": "earliest"].merging(settings) { $1 }
        return try SinkDefinition(
            name: #require(SinkName(name)), settings: SinkSettings(all.map { SinkSettings.Setting($0.key, [$0.value]) }))
    }

    private func run(_ test: TestLedger, _ id: String, kind: String = "application", events: Int = 0) async throws -> RunID {
        let run = try #require(RunID(id))
        _ = try await test.ledger.createRun(run, kind: kind, sinks: [])
        if events > 0 { _ = try await test.ledger.append((0..<events).map { TestLedger.event($0) }, run: run) }
        return run
    }

    private func next(_ test: TestLedger, _ run: RunID, _ sink: String) async throws -> Int64? { try await test.ledger.run(run)?.nextSeq[sink] }

    @Test("a sink begins where it is told in runs that are there, and at the first event of those that come later")
    func starts() async throws {
        let test = try await TestLedger.make()
        let old = try await run(test, "app/old", events: 5)
        #expect(try await test.ledger.storeSink(definition("begin"), origin: .api) == .made)
        #expect(try await test.ledger.storeSink(definition("end", ["start": "now"]), origin: .api) == .made)
        #expect(try await test.ledger.storeSink(definition("third", ["start": "3"]), origin: .configuration) == .made)
        let new = try await run(test, "app/new", events: 2)
        for (sink, seq) in [("begin", 1), ("end", 6), ("third", 3)] { #expect(try await next(test, old, sink) == Int64(seq)) }
        for sink in ["begin", "end", "third"] { #expect(try await next(test, new, sink) == 1) }
        let claims = try await test.ledger.claimOutbox(sink: "end", publisher: test.worker, ttl: TestLedger.ttl, limit: 10)
        #expect(claims.map(\.run) == [new] && claims.map(\.lastSeq) == [2])
        #expect(try await test.ledger.storeSink(definition("begin"), origin: .api) == .same)
        #expect(try await test.ledger.storeSink(definition("begin", ["rate": "5"]), origin: .api, onlyNew: true) == .taken)
        #expect(try await test.ledger.storeSink(definition("begin", ["rate": "5"]), origin: .api) == .changed)
        #expect(try await test.ledger.sinks().map(\.name.description) == ["begin", "end", "third"])
        #expect(try await test.ledger.sinks()[0].generation == 2)
        #expect(try await test.ledger.configuredSinks(but: []).map(\.description) == ["third"])
        try await test.end()
    }

    @Test("a sink takes the runs of its kinds and prefix only, also after these changed")
    func selection() async throws {
        let test = try await TestLedger.make()
        let (one, other) = (try await run(test, "app/1"), try await run(test, "job/1", kind: "job"))
        _ = try await test.ledger.storeSink(definition("jobs", ["runs.kinds": "job"]), origin: .api)
        _ = try await test.ledger.storeSink(definition("apps", ["runs.prefix": "app/"]), origin: .api)
        let late = try await run(test, "app/2", kind: "job")
        for (run, sinks) in [(one, ["apps"]), (other, ["jobs"]), (late, ["apps", "jobs"])] {
            #expect(try await test.ledger.run(run)?.nextSeq.keys.sorted() == sinks)
        }
        _ = try await test.ledger.storeSink(definition("jobs", ["runs.prefix": "app/1"]), origin: .api)
        for (run, sinks) in [(one, ["apps", "jobs"]), (other, []), (late, ["apps"])] {
            #expect(try await test.ledger.run(run)?.nextSeq.keys.sorted() == sinks)
        }
        try await test.end()
    }

    @Test("a run and a sink that were made at the same moment find each other, and no event between is lost")
    func matched() async throws {
        let test = try await TestLedger.make()
        let run = try #require(RunID("app/blind"))
        // The run's transaction sees no sink, and commits behind the sink's.
        let connection = try await PostgresConnection.connect(test.pool.configuration)
        try await connection.execute("BEGIN; INSERT INTO runs (id, kind, last_seq) VALUES ('app/blind', 'application', 0)")
        _ = try await test.ledger.storeSink(definition("all"), origin: .api)
        try await connection.execute("COMMIT")
        await connection.close()
        _ = try await test.ledger.append([TestLedger.event(1)], run: run)
        #expect(try await next(test, run, "all") == nil)
        #expect(try await test.ledger.matchRuns() == 1)
        #expect(try await test.ledger.matchRuns() == 0)
        let claims = try await test.ledger.claimOutbox(sink: "all", publisher: test.worker, ttl: TestLedger.ttl, limit: 10)
        #expect(claims.map(\.run) == [run] && claims.map(\.nextSeq) == [1] && claims.map(\.lastSeq) == [1])
        try await test.end()
    }

    @Test("a removed sink leaves nothing behind, and who still delivers for it cannot mark")
    func removed() async throws {
        let test = try await TestLedger.make()
        let run = try await run(test, "app/1", events: 1)
        let name = try #require(SinkName("gone"))
        _ = try await test.ledger.storeSink(definition("gone"), origin: .api)
        let sink = try #require(try await test.ledger.sink(name))
        try await test.ledger.registerConsumers([sink], worker: test.worker)
        let claim = try #require(try await test.ledger.claimOutbox(sink: "gone", publisher: test.worker, ttl: TestLedger.ttl, limit: 1).first)
        #expect(try await test.ledger.removeSink(name))
        #expect(try await !test.ledger.removeSink(name))
        #expect(try await test.ledger.markPublished([(claim, 2)]).isEmpty)
        #expect(try await next(test, run, "gone") == nil)
        let report = SinkConsumerReport(sink: name, generation: 1, state: "healthy", since: WallTime(microseconds: 0))
        try await test.ledger.reportConsumers([report], worker: test.worker)
        #expect(try await test.number("SELECT count(*) FROM sink_consumers") == 0)
        try await test.end()
    }

    @Test("a rewind sets cursors and fences who delivers; a reset lets halted runs go on")
    func control() async throws {
        let test = try await TestLedger.make()
        let (one, two) = (try await run(test, "app/1", events: 5), try await run(test, "app/2", events: 5))
        let name = try #require(SinkName("s"))
        _ = try await test.ledger.storeSink(definition("s"), origin: .api)
        let claims = try await test.ledger.claimOutbox(sink: "s", publisher: test.worker, ttl: TestLedger.ttl, limit: 2)
        // To where it stands: even so, what is being delivered must not be marked.
        #expect(try await test.ledger.rewindSink(name, to: .seq(1), run: one))
        #expect(try await test.ledger.markPublished(claims.map { ($0, 6) }) == [two])
        #expect(try await next(test, one, "s") == 1)
        #expect(try await test.ledger.rewindSink(name, to: .seq(3), run: one))
        #expect(try await next(test, one, "s") == 3)
        #expect(try await next(test, two, "s") == 6)
        #expect(try await test.ledger.rewindSink(name, to: .seq(99), run: nil))
        #expect(try await next(test, one, "s") == 6)
        #expect(try await test.ledger.rewindSink(name, to: .earliest, run: nil))
        let again = try await test.ledger.claimOutbox(sink: "s", publisher: test.worker, ttl: TestLedger.ttl, limit: 2)
        #expect(again.map(\.nextSeq) == [1, 1] && Set(again.map(\.epoch)) == [4, 2])
        for claim in again { try await test.ledger.haltOutbox(claim, reason: "gap") }
        #expect(try await test.ledger.sinkProgress([name])[name]?.haltedRuns == 2)
        #expect(try await test.ledger.claimOutbox(sink: "s", publisher: test.worker, ttl: TestLedger.ttl, limit: 2).isEmpty)
        #expect(try await test.ledger.resetSink(name, run: two))
        #expect(try await test.ledger.claimOutbox(sink: "s", publisher: test.worker, ttl: TestLedger.ttl, limit: 2).map(\.run) == [two])
        let unknown = try #require(SinkName("unknown"))
        #expect(try await !test.ledger.resetSink(unknown, run: nil))
        #expect(try await !test.ledger.setSink(unknown, .paused))
        #expect(try await !test.ledger.rewindSink(unknown, to: .now, run: nil))
        try await test.end()
    }

    @Test("an event that is laid aside is kept and its run goes on; one that halts its run is kept until it is requeued or skipped")
    func letters() async throws {
        let test = try await TestLedger.make()
        let run = try await run(test, "app/1", events: 5)
        let name = try #require(SinkName("s"))
        _ = try await test.ledger.storeSink(definition("s"), origin: .api)
        func claim() async throws -> OutboxClaim? {
            try await test.ledger.claimOutbox(sink: "s", publisher: test.worker, ttl: TestLedger.ttl, limit: 1).first
        }
        func refused(_ seq: Int64) -> RefusedEvent { RefusedEvent(seq: seq, error: "HTTP 422", attempts: 5, payload: #"{"seq":1}"#) }
        let first = try #require(try await claim())
        #expect(try await test.ledger.layAside(refused(1), of: first))
        #expect(try await !test.ledger.layAside(refused(1), of: first), "the cursor is behind it already")
        let second = try #require(try await claim())
        #expect(second.nextSeq == 2)
        var stale = second
        stale.token = first.token
        #expect(try await !test.ledger.layAside(refused(2), of: stale), "by a worker whose lease went to another")
        #expect(try await !test.ledger.halt(at: refused(2), of: stale, reason: "refused"), "by a worker whose lease went to another")
        #expect(try await test.ledger.halt(at: refused(2), of: second, reason: "refused"))
        #expect(try await claim() == nil)
        let letters = try await test.ledger.deadLetters(sink: name, withSkipped: false, before: nil, limit: 10)
        #expect(letters.map(\.state) == [.halted, .dead] && letters.map(\.seq) == [2, 1] && letters.map(\.payload) == [nil, nil])
        let dead = try #require(try await test.ledger.deadLetter(letters[1].id))
        #expect(dead.payload == #"{"seq":1}"# && dead.run == run && dead.attempts == 5 && dead.key == "s")

        // Requeued, the halted one lets its run go on where it stands; skipped, behind it.
        #expect(try await test.ledger.requeueLetter(letters[0].id))
        let third = try #require(try await claim())
        #expect(third.nextSeq == 2)
        #expect(try await test.ledger.halt(at: refused(2), of: third, reason: "refused"))
        let halted = try #require(try await test.ledger.deadLetters(sink: name, withSkipped: false, before: nil, limit: 1).first)
        #expect(try await test.ledger.skipLetter(halted.id))
        #expect(try await !test.ledger.skipLetter(halted.id))
        #expect(try await claim()?.nextSeq == 3)

        #expect(try await test.ledger.requeueLetter(dead.id))
        #expect(try await test.ledger.sinks()[0].hasRequeued)
        let requeued = try await test.ledger.claimLetters(name, limit: 5, within: .seconds(60))
        #expect(requeued.map(\.seq) == [1] && requeued.map(\.run) == [run])
        #expect(try await test.ledger.claimLetters(name, limit: 5, within: .seconds(60)).isEmpty)
        // Not looked at by the target: it may be claimed again at once, or after a while.
        try await test.ledger.settleLetters(delivered: [], refused: [], open: [dead.id], retryAfter: .zero)
        #expect(try await test.ledger.claimLetters(name, limit: 5, within: .seconds(60)).map(\.id) == [dead.id])
        try await test.ledger.settleLetters(delivered: [], refused: [], open: [dead.id], retryAfter: .seconds(60))
        #expect(try await test.ledger.claimLetters(name, limit: 5, within: .seconds(60)).isEmpty)
        try await test.ledger.settleLetters(delivered: [], refused: [(dead.id, "HTTP 400")])
        let refusedAgain = try #require(try await test.ledger.deadLetter(dead.id))
        #expect(refusedAgain.state == .dead && refusedAgain.attempts == 6 && refusedAgain.error == "HTTP 400")
        #expect(try await test.ledger.requeueLetter(dead.id))
        try await test.ledger.settleLetters(delivered: [dead.id], refused: [])
        #expect(try await test.ledger.deadLetter(dead.id) == nil)
        #expect(try await test.ledger.sinkProgress([name])[name]?.letters == 0)
        try await test.end()
    }

    @Test("each worker's heartbeat is its own row; a view has every sink, also one that nobody runs")
    func views() async throws {
        let test = try await TestLedger.make()
        _ = try await run(test, "app/1", events: 3)
        for name in ["a", "b"] { _ = try await test.ledger.storeSink(definition(name), origin: .api) }
        let sinks = try await test.ledger.sinks()
        let other = WorkerID("other")
        try await test.ledger.registerConsumers(sinks, worker: test.worker)
        try await test.ledger.registerConsumers([sinks[0]], worker: other)
        let report = SinkConsumerReport(
            sink: sinks[0].name, generation: 1, state: "backing_off", since: WallTime(microseconds: 5), breaker: "open", delivered: 7, perSecond: 1.5,
            failures: 2, error: "down", errorAt: WallTime(microseconds: 6), retryAt: WallTime(microseconds: 7))
        try await test.ledger.reportConsumers([report], worker: test.worker)
        let views = try await test.ledger.sinkViews()
        #expect(views.map(\.sink.name.description) == ["a", "b"])
        #expect(views[0].consumers.map(\.report.state).sorted() == ["backing_off", "starting"])
        #expect(views[0].consumers.first { $0.worker == test.worker.description }?.report == report)
        // A heartbeat without it took the row of the sink that the worker does not run any more.
        #expect(views[1].consumers.isEmpty)
        #expect(views[0].progress.backlog == 3 && views[0].progress.pendingRuns == 1 && views[0].progress.lagMs >= 0)
        try await test.end()
    }

    @Test("a diagnosis has every sink with what each worker says of it, silent ones too, and its letters; its rows do not hide those of outlets")
    func diagnosis() async throws {
        let test = try await TestLedger.make()
        let run = try await run(test, "app/1", events: 4)
        for name in ["a", "b"] { _ = try await test.ledger.storeSink(definition(name), origin: .api) }
        let sinks = try await test.ledger.sinks()
        try await test.ledger.registerConsumers([sinks[0]], worker: test.worker)
        try await test.ledger.registerConsumers([sinks[0]], worker: WorkerID("silent"))
        try await test.pool.execute("UPDATE sink_consumers SET heartbeat_at = now() - interval '40 s', error = 'x' WHERE worker = 'silent'")
        for seq in [Int64(1), 2] {
            let claim = try #require(try await test.ledger.claimOutbox(sink: "a", publisher: test.worker, ttl: TestLedger.ttl, limit: 1).first)
            let refused = RefusedEvent(seq: seq, error: "HTTP \(420 + seq)", attempts: 5, payload: "{}")
            if seq == 1 {
                #expect(try await test.ledger.layAside(refused, of: claim))
            } else {
                #expect(try await test.ledger.halt(at: refused, of: claim, reason: "refused"))
            }
        }
        _ = try await test.ledger.createRun(try #require(RunID("app/2")), kind: "application", sinks: ["outlet"])
        _ = try await test.ledger.append([TestLedger.event(1)], run: try #require(RunID("app/2")))
        let found = try await test.ledger.diagnosis(run: nil, stalledAfter: .seconds(600))
        #expect(found.outbox.map(\.sink) == ["outlet"])
        #expect(try await test.ledger.diagnosis(run: run, stalledAfter: .seconds(600)).run?.outbox.map(\.sink) == ["a", "b"])
        #expect(found.sinks.map(\.name.description) == ["a", "b"] && found.sinks[1].consumers.isEmpty)
        #expect(found.sinks[0].consumers.map(\.worker).sorted() == [test.worker.description, "silent"].sorted())
        let silent = try #require(found.sinks[0].consumers.first { $0.worker == "silent" })
        #expect((40_000...100_000).contains(silent.heartbeatAgeMs) && silent.error == "x" && silent.state == "starting")
        #expect(found.sinks[0].progress.haltedRuns == 1 && found.sinks[0].progress.haltedRun == "app/1" && found.sinks[1].progress.backlog == 5)
        let letters = try #require(found.letters.first)
        #expect(found.letters.count == 1 && letters.sink == "a" && letters.dead == 1 && letters.halted == 1 && letters.newestError == "HTTP 422")
        try await test.end()
    }

    @Test("51 and 5,000 finished runs hide no new one, and of 100,000 runs the ten with events are found at once")
    func manyRuns() async throws {
        let test = try await TestLedger.make()
        _ = try await test.ledger.storeSink(definition("s"), origin: .api)
        for (count, prefix) in [(51, "few"), (5000, "many"), (95_000, "most")] {
            try await test.pool.execute(
                """
                INSERT INTO runs (id, kind, state, last_seq) SELECT '\(prefix)/' || n, 'job', 'finished', 3 FROM generate_series(1, \(count)) n;
                UPDATE run_outbox SET next_seq = 4 WHERE sink = 's' AND next_seq = 1;
                """)
            let new = try await run(test, "new/\(prefix)", events: 1)
            let claims = try await test.ledger.claimOutbox(sink: "s", publisher: test.worker, ttl: TestLedger.ttl, limit: 8)
            #expect(claims.map(\.run) == [new])
            _ = try await test.ledger.markPublished(claims.map { ($0, 2) })
        }
        var waiting: Set<RunID> = []
        for number in 0..<10 { waiting.insert(try await run(test, "zzz/\(number)", events: 1)) }
        try await test.pool.execute("ANALYZE run_outbox")
        let start = ContinuousClock.now
        let claims = try await test.ledger.claimOutbox(sink: "s", publisher: test.worker, ttl: TestLedger.ttl, limit: 64)
        #expect(try await test.ledger.markPublished(claims.map { ($0, 2) }) == waiting)
        #expect(try await test.ledger.claimOutbox(sink: "s", publisher: test.worker, ttl: TestLedger.ttl, limit: 64).isEmpty)
        let taken = ContinuousClock.now - start
        #expect(taken < .milliseconds(300), "\(taken)")
        print("claim and mark of 10 runs among 100,000: \(taken)")
        try await test.end()
    }
}
