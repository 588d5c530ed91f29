import Events
import PostgresClient
import Testing

@testable import Ledger

@Suite(.timeLimit(.minutes(10))) struct OutboxTests {
    private func makeRuns(_ test: TestLedger, _ count: Int) async throws -> [RunID] {
        var runs: [RunID] = []
        for number in 0..<count {
            let run = try #require(RunID("app/\(number)"))
            _ = try await test.ledger.createRun(run, kind: "application", sinks: ["hook"])
            _ = try await test.ledger.append([TestLedger.event(number)], run: run)
            runs.append(run)
        }
        return runs
    }

    private func claim(_ test: TestLedger, _ limit: Int, ttl: Duration = TestLedger.ttl) async throws -> [OutboxClaim] {
        try await test.ledger.claimOutbox(sink: "hook", publisher: test.worker, ttl: ttl, limit: limit)
    }

    @Test func `racing publishers never claim one run twice`() async throws {
        let test = try await TestLedger.make()
        let runs = try await makeRuns(test, 20)
        let claimed = try await withThrowingTaskGroup(of: [RunID].self) { group in
            for number in 0..<6 {
                group.addTask {
                    try await test.ledger.claimOutbox(sink: "hook", publisher: WorkerID("p\(number)"), ttl: TestLedger.ttl, limit: 5).map(\.run)
                }
            }
            return try await group.reduce(into: [], +=)
        }
        #expect(claimed.count == Set(claimed).count)
        let rest = try await claim(test, 100).map(\.run)
        #expect(Set(claimed + rest) == Set(runs))
        #expect(try await claim(test, 100).isEmpty)
        try await test.end()
    }

    @Test("finished runs that are published leave the queue, however many stand in front of a new one", arguments: [51, 5_000])
    func leaveTheQueue(count: Int) async throws {
        let test = try await TestLedger.make()
        try await test.pool.execute(
            """
            INSERT INTO runs (id, kind, state, finished_at, last_seq, last_event_at, last_day)
            SELECT 'app/' || i, 'application', 'finished', now(), 3, now(), (now() AT TIME ZONE 'UTC')::date FROM generate_series(1, \(count)) i;
            INSERT INTO run_outbox (run, sink, tail_seq) SELECT no, 'hook', 3 FROM runs WHERE id LIKE 'app/%';
            """)
        var published: Set<RunID> = []
        while true {
            let claims = try await claim(test, 1_000)
            if claims.isEmpty { break }
            let moved = try await test.ledger.markPublished(claims.map { ($0, $0.lastSeq + 1) })
            #expect(moved.count == claims.count && published.isDisjoint(with: moved))
            published.formUnion(moved)
        }
        #expect(published.count == count)
        let late = try #require(RunID("app/late"))
        _ = try await test.ledger.createRun(late, kind: "application", sinks: ["hook"])
        _ = try await test.ledger.append([TestLedger.event(1)], run: late)
        #expect(try await claim(test, 5).map(\.run) == [late])
        let first = try #require(RunID("app/1"))
        #expect(try await test.ledger.run(first)?.nextSeq == ["hook": 4])
        try await test.end()
    }

    @Test func `an append between claim and mark leaves the run pending`() async throws {
        let test = try await TestLedger.make()
        let run = try await makeRuns(test, 1)[0]
        let first = try #require(try await claim(test, 1).first)
        _ = try await test.ledger.append([TestLedger.event(2)], run: run)
        #expect(try await test.ledger.markPublished([(first, first.lastSeq + 1)]) == [run])
        let second = try #require(try await claim(test, 1).first)
        #expect(second.nextSeq == 2)
        #expect(second.lastSeq == 2)
        try await test.end()
    }

    @Test func `a publisher whose lease was lost cannot mark`() async throws {
        let test = try await TestLedger.make()
        _ = try await makeRuns(test, 1)
        let lost = try #require(try await claim(test, 1, ttl: .zero).first)
        let current = try #require(try await claim(test, 1).first)
        #expect(current.token > lost.token)
        #expect(try await test.ledger.markPublished([(lost, 2)]).isEmpty)
        #expect(try await test.ledger.markPublished([(current, 2)]).count == 1)
        #expect(try await test.ledger.markPublished([(current, 2)]).isEmpty, "a mark counts once")
        try await test.end()
    }

    @Test func `a failed claim waits for its retry, a halted one for an operator, and the rest goes on`() async throws {
        let test = try await TestLedger.make()
        _ = try await makeRuns(test, 3)
        let claims = try await claim(test, 3)
        try await test.ledger.failOutbox(claims[0], error: "503", retryAfter: .seconds(600))
        try await test.ledger.haltOutbox(claims[1], reason: "a gap at 7")
        try await test.ledger.failOutbox(claims[2], error: "503", retryAfter: .zero)
        #expect(try await claim(test, 3).map(\.run) == [claims[2].run])
        try await test.end()
    }
}
