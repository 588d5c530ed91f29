import Events
import Ledger
import PostgresClient
import TestSupport
import Testing

@Suite("Scope by name", .timeLimit(.minutes(5)))
struct ScopeTests {
    private let shards = ShardMap(count: 4)

    private func requests(_ test: TestLedger) async throws -> [String: String] {
        var requests: [String: String] = [:]
        for row in try await test.pool.query("SELECT did, action, shard FROM repo_requests") {
            let did: String = try row.value("did")
            #expect(try row.value("shard", as: Int32.self) == Int32(shards.shard(of: did)))
            requests[did] = try row.value("action")
        }
        return requests
    }

    @Test("who is added has a row and a job in its shard, once; adding again changes nothing")
    func added() async throws {
        let test = try await TestLedger.make()
        let first = try await test.ledger.addRepositories(["did:a:2", "did:a:1", "did:a:2"], shards: shards, reason: "requested")
        #expect(first == ["did:a:1": .added, "did:a:2": .added])
        let job = try #require(try await test.ledger.job("did:a:1"))
        #expect(job.state == .waiting && job.reason == "requested" && job.source.isEmpty && job.shard == shards.shard(of: "did:a:1"))
        #expect(Set(try await test.ledger.feedJobs(limit: 10, deadline: .seconds(60))) == ["did:a:1", "did:a:2"])
        let claimed = try #require(try await test.ledger.claimJob("did:a:1", deadline: .seconds(60)))
        let again = try await test.ledger.addRepositories(["did:a:1", "did:a:3"], shards: shards, reason: "again")
        #expect(again == ["did:a:1": .alreadyWanted, "did:a:3": .added])
        let after = try #require(try await test.ledger.job("did:a:1"))
        #expect(after.state == .fetching && after.attempt == claimed.attempt && !after.again && after.reason == "requested")
        #expect(try await requests(test).isEmpty)
        #expect(try await test.number("SELECT count(*) FROM repo_scope WHERE wanted") == 3)
        try await test.end()
    }

    @Test("a job that is missing is made by adding again")
    func missingJob() async throws {
        let test = try await TestLedger.make()
        _ = try await test.ledger.addRepositories(["did:a:1"], shards: shards, reason: "requested")
        try await test.pool.execute("DELETE FROM backfill_jobs")
        #expect(try await test.ledger.addRepositories(["did:a:1"], shards: shards, reason: "requested") == ["did:a:1": .alreadyWanted])
        #expect(try await test.ledger.job("did:a:1")?.state == .waiting)
        try await test.end()
    }

    @Test("who was listed and is added by name gets a snapshot that begins after that, also where a job of it ended or is under way")
    func listedBefore() async throws {
        let test = try await TestLedger.make()
        try await test.pool.execute(
            """
            INSERT INTO backfill_jobs (did, shard, source, reason, state, failures, retry_at, error) VALUES
            ('did:a:done', 0, 'h', 'listed', 'done', 0, 'infinity', ''), ('did:a:refused', 0, 'h', 'listed', 'refused', 3, 'infinity', 'takendown'),
            ('did:a:fetching', 0, 'h', 'listed', 'fetching', 1, now(), ''), ('did:a:late', 0, 'h', 'listed', 'waiting', 4, now() + interval '1 h', 'no')
            """)
        let dids = ["done", "refused", "fetching", "late"].map { "did:a:\($0)" }
        let outcomes = try await test.ledger.addRepositories(dids, shards: shards, reason: "requested")
        #expect(outcomes.values.allSatisfy { $0 == .added } && outcomes.count == 4)
        let fetching = try #require(try await test.ledger.job("did:a:fetching"))
        #expect(fetching.state == .fetching && fetching.again)
        // Also what would have waited for an hour after its failures, which are not forgotten.
        #expect(Set(try await test.ledger.feedJobs(limit: 10, deadline: .seconds(60))) == ["did:a:done", "did:a:refused", "did:a:late"])
        #expect(try await test.ledger.job("did:a:late")?.failures == 4)
        #expect(try await test.ledger.job("did:a:refused")?.failures == 0)
        try await test.end()
    }

    @Test("who is removed while it is fetched: the attempt finds that it has no job, and the owner is asked to forget")
    func removedWhileFetching() async throws {
        let test = try await TestLedger.make()
        _ = try await test.ledger.addRepositories(["did:a:1", "did:a:2"], shards: shards, reason: "requested")
        _ = try await test.ledger.feedJobs(limit: 10, deadline: .seconds(60))
        let claimed = try #require(try await test.ledger.claimJob("did:a:1", deadline: .seconds(60)))
        #expect(try await test.ledger.removeRepositories(["did:a:1", "did:a:2"], shards: shards) == ["did:a:1": .removed, "did:a:2": .removed])
        #expect(try await requests(test) == ["did:a:1": "remove", "did:a:2": "remove"])
        #expect(try await test.ledger.touchJobs([("did:a:1", claimed.attempt)], deadline: .seconds(60)).isEmpty)
        #expect(try await test.ledger.streamedJob(claimed, host: "h", records: 1, bytes: 1, deadline: .seconds(60)) == false)
        try await test.ledger.returnJob(claimed, host: "h", error: "cut off", retryAfter: .zero, isFailure: true)
        try await test.ledger.buryJob("did:a:1", error: "cut off", attempts: 5)
        // The queue still has the other one: whoever takes it finds nothing to do.
        #expect(try await test.ledger.claimJob("did:a:2", deadline: .seconds(60)) == nil)
        #expect(try await test.number("SELECT count(*) FROM backfill_jobs") == 0)
        #expect(try await test.ledger.removeRepositories(["did:a:1"], shards: shards) == ["did:a:1": .alreadyRemoved])
        try await test.end()
    }

    @Test("who comes back gets a new job and its owner is asked to take it up: the last word counts")
    func comesBack() async throws {
        let test = try await TestLedger.make()
        _ = try await test.ledger.addRepositories(["did:a:1", "did:a:2"], shards: shards, reason: "requested")
        _ = try await test.ledger.claimJob("did:a:1", deadline: .seconds(60))
        _ = try await test.ledger.removeRepositories(["did:a:1", "did:a:2"], shards: shards)
        try await test.pool.execute("DELETE FROM repo_requests WHERE did = 'did:a:2'")
        let back = try await test.ledger.addRepositories(["did:a:1", "did:a:2", "did:a:3"], shards: shards, reason: "requested")
        #expect(back.values.allSatisfy { $0 == .added })
        #expect(try await requests(test) == ["did:a:1": "add", "did:a:2": "add"])
        let job = try #require(try await test.ledger.job("did:a:1"))
        #expect(job.state == .waiting && job.attempt == 0)
        _ = try await test.ledger.removeRepositories(["did:a:1"], shards: shards)
        #expect(try await requests(test)["did:a:1"] == "remove")
        try await test.end()
    }

    @Test("who was never tracked is left out all the same: no listing takes it up")
    func leftOut() async throws {
        let test = try await TestLedger.make()
        #expect(try await test.ledger.removeRepositories(["did:a:1"], shards: shards) == ["did:a:1": .notTracked])
        let name = UpstreamName(kind: .backfill, host: "pds.example")
        let lease = try #require(try await test.ledger.acquireUpstream(name, worker: test.worker, ttl: TestLedger.ttl))
        _ = try await test.ledger.openBackfillSource(lease, method: "listRepos")
        let entries = ["did:a:1", "did:a:2"].map { ListedPage.Entry(did: $0, shard: 1, rev: "3aaa", final: nil) }
        #expect(try await test.ledger.storePage(lease, page: ListedPage(entries: entries, cursor: nil), comparesRevisions: false) == 1)
        // One that was only listed is tracked.
        #expect(try await test.ledger.removeRepositories(["did:a:2"], shards: shards) == ["did:a:2": .removed])
        try await test.end()
    }

    @Test("a resync is wanted of what is tracked only")
    func resync() async throws {
        let test = try await TestLedger.make()
        _ = try await test.ledger.addRepositories(["did:a:1", "did:a:2", "did:a:3"], shards: shards, reason: "requested")
        try await test.pool.execute("UPDATE backfill_jobs SET state = 'dead', failures = 9, error = 'gave up' WHERE did = 'did:a:1'")
        try await test.pool.execute("UPDATE backfill_jobs SET state = 'streamed', attempt = 7 WHERE did = 'did:a:2'")
        _ = try await test.ledger.removeRepositories(["did:a:3"], shards: shards)
        // As a page leaves it whose transaction began before the removal.
        try await test.pool.execute("INSERT INTO backfill_jobs (did, shard, source, reason) VALUES ('did:a:3', 0, 'h', 'listed')")
        let outcomes = try await test.ledger.resyncRepositories(["did:a:1", "did:a:2", "did:a:3", "did:a:4"])
        #expect(outcomes == ["did:a:1": .requested, "did:a:2": .requested, "did:a:3": .notTracked, "did:a:4": .notTracked])
        let dead = try #require(try await test.ledger.job("did:a:1"))
        #expect(dead.state == .waiting && dead.failures == 0 && dead.reason == "requested")
        let streamed = try #require(try await test.ledger.job("did:a:2"))
        #expect(streamed.state == .streamed && streamed.again && streamed.attempt == 7)
        try await test.end()
    }

    @Test("a call takes ten thousand DIDs and refuses one more, of which nothing is written")
    func bound() async throws {
        let test = try await TestLedger.make()
        let dids = (0..<Ledger.scopeCallMax).map { "did:plc:\($0)" }
        let error = await failure { _ = try await test.ledger.addRepositories(dids + ["did:plc:x"], shards: shards, reason: "requested") }
        #expect(error?.code == .other)
        #expect(try await test.number("SELECT count(*) FROM repo_scope") == 0)
        let outcomes = try await test.ledger.addRepositories(dids + dids, shards: shards, reason: "requested")
        #expect(outcomes.count == dids.count && outcomes.values.allSatisfy { $0 == .added })
        #expect(try await test.number("SELECT count(*) FROM backfill_jobs j JOIN repo_scope s USING (did, shard) WHERE s.wanted") == 10_000)
        #expect(try await test.ledger.removeRepositories(dids, shards: shards).values.allSatisfy { $0 == .removed })
        #expect(try await test.number("SELECT count(*) FROM backfill_jobs") == 0)
        try await test.end()
    }

    @Test("a removal that cannot ask the owner removes nothing")
    func wholeOrNot() async throws {
        let test = try await TestLedger.make()
        _ = try await test.ledger.addRepositories(["did:a:1"], shards: shards, reason: "requested")
        try await test.pool.execute("ALTER TABLE repo_requests RENAME TO elsewhere")
        #expect(await failure { _ = try await test.ledger.removeRepositories(["did:a:1"], shards: shards) } != nil)
        #expect(try await test.number("SELECT count(*) FROM repo_scope WHERE wanted") == 1)
        #expect(try await test.ledger.job("did:a:1")?.state == .waiting)
        try await test.end()
    }

    @Test("callers who name the same DIDs in any order never deadlock, and leave a job of each that is wanted and of no other")
    func concurrent() async throws {
        let test = try await TestLedger.make()
        let seed = TestSeed("callers")
        let dids = (0..<120).map { "did:plc:\($0)" }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for caller in 0..<4 {
                group.addTask {
                    var random = SeededGenerator(seed: seed.value &+ UInt64(caller))
                    for _ in 0..<25 {
                        let named = Array(dids.shuffled(using: &random).prefix(Int.random(in: 1...80, using: &random)))
                        switch Int.random(in: 0..<5, using: &random) {
                        case 0, 1: _ = try await test.ledger.addRepositories(named, shards: shards, reason: "requested")
                        case 2, 3: _ = try await test.ledger.removeRepositories(named, shards: shards)
                        default: _ = try await test.ledger.resyncRepositories(named)
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        let wrong = "SELECT count(*) FROM repo_scope s FULL JOIN backfill_jobs j USING (did) WHERE (j.did IS NOT NULL) <> coalesce(s.wanted, false)"
        #expect(try await test.number(wrong) == 0)
        try await test.end()
    }
}
