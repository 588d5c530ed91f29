import Events
import PostgresClient
import Testing

@testable import Ledger

@Suite(.timeLimit(.minutes(10))) struct RunTests {
    private func run(_ name: String = "app/1") throws -> RunID { try #require(RunID(name)) }

    @Test func `racing appenders make one contiguous sequence`() async throws {
        let test = try await TestLedger.make()
        let run = try run()
        #expect(try await test.ledger.createRun(run, kind: "application", sinks: ["outlet"]))
        #expect(try await !test.ledger.createRun(run, kind: "application", sinks: []))
        let commits = try await withThrowingTaskGroup(of: [ShardCommit].self) { group in
            for writer in 0..<4 {
                group.addTask {
                    var commits: [ShardCommit] = []
                    for number in 0..<10 {
                        commits.append(try await test.ledger.append((0...number % 3).map { TestLedger.event(100 * writer + $0) }, run: run))
                    }
                    return commits
                }
            }
            return try await group.reduce(into: [], +=)
        }
        let given = commits.flatMap { Array($0.seqs) }.sorted()
        #expect(given == Array(1...Int64(given.count)))
        let events = try await test.ledger.events(run: run, after: 0, limit: 1000, maxBytes: 1_000_000)
        #expect(events.map(\.seq) == given)
        #expect(zip(events, events.dropFirst()).allSatisfy { $0.loggedAt <= $1.loggedAt })
        #expect(try await test.ledger.run(run)?.lastSeq == given.last)
        try await test.end()
    }

    @Test func `a run ends once, with its terminal event, and takes nothing after it`() async throws {
        let test = try await TestLedger.make()
        let run = try run()
        _ = try await test.ledger.createRun(run, kind: "application", sinks: ["outlet"])
        _ = try await test.ledger.append([TestLedger.event(1)], run: run)
        #expect(try await test.ledger.endRun(run, state: .finished) == 2)
        let events = try await test.ledger.events(run: run, after: 1, limit: 10, maxBytes: 1000)
        #expect(events.map(\.kind) == [.terminal])
        #expect(await failure { _ = try await test.ledger.append([TestLedger.event(2)], run: run) }?.code == .runEnded)
        #expect(await failure { _ = try await test.ledger.endRun(run, state: .failed) }?.code == .runEnded)
        let summary = try #require(try await test.ledger.run(run))
        #expect(summary.state == .finished)
        #expect(summary.lastSeq == 2)
        #expect(summary.finishedAt != nil)
        #expect(try await test.ledger.runs(state: .finished, kind: nil, after: nil, limit: 10).map(\.id) == [run])
        try await test.end()
    }

    @Test func `a page of events ends at its bytes, but holds one at least`() async throws {
        let test = try await TestLedger.make()
        let run = try run()
        _ = try await test.ledger.createRun(run, kind: "application", sinks: [])
        _ = try await test.ledger.append((1...5).map { TestLedger.event($0, body: String(repeating: "x", count: 100)) }, run: run)
        func page(_ after: Int64, _ limit: Int, _ bytes: Int) async throws -> [Int64] {
            try await test.ledger.events(run: run, after: after, limit: limit, maxBytes: bytes).map(\.seq)
        }
        #expect(try await page(0, 10, 1) == [1])
        #expect(try await page(0, 10, 250) == [1, 2, 3])
        #expect(try await page(2, 2, 10_000) == [3, 4])
        #expect(try await page(5, 10, 10_000) == [])
        try await test.end()
    }

    @Test func `a U+0000 of a stranger stops no batch`() async throws {
        let test = try await TestLedger.make()
        let run = try run()
        _ = try await test.ledger.createRun(run, kind: "application", sinks: [])
        var event = TestLedger.event(1)
        event.time = "a\0b"
        _ = try await test.ledger.append([event], run: run)
        #expect(try await test.ledger.events(run: run, after: 0, limit: 1, maxBytes: 100).first?.time == "a\u{FFFD}b")
        try await test.end()
    }

    @Test func `appends wake those that listen`() async throws {
        let test = try await TestLedger.make()
        let run = try run()
        _ = try await test.ledger.createRun(run, kind: "application", sinks: [])
        try await test.ledger.withAppendNotifications { names in
            var first = true
            for try await name in names {
                if first {
                    #expect(name == "", "whoever begins to listen looks at everything")
                    first = false
                    _ = try await test.ledger.append([TestLedger.event(1)], run: run)
                } else {
                    #expect(name == run.description)
                    break
                }
            }
        }
        try await test.end()
    }

    @Test func `the newest document of an identity stays`() async throws {
        let test = try await TestLedger.make()
        let newer = StoredIdentity(
            did: "did:plc:a", status: .found, signingKey: "did:key:z", handle: "a.example", fetchedAt: WallTime(microseconds: 20))
        let older = StoredIdentity(did: "did:plc:a", status: .notFound, fetchedAt: WallTime(microseconds: 10))
        try await test.ledger.storeIdentities([newer, older])
        try await test.ledger.storeIdentities([older])
        #expect(try await test.ledger.identities(["did:plc:a", "did:plc:b"]) == ["did:plc:a": newer])
        try await test.end()
    }
}
