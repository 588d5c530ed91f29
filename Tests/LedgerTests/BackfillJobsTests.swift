import Events
import Ledger
import PostgresClient
import Testing

@Suite("Backfill jobs")
struct BackfillJobsTests {
    private func page(_ dids: [String], rev: String = "3aaa", cursor: String? = "more", final: String? = nil) -> ListedPage {
        ListedPage(entries: dids.map { .init(did: $0, shard: 1, rev: rev, final: final) }, cursor: cursor)
    }

    private func source(_ test: TestLedger, _ host: String = "pds.example") async throws -> UpstreamLease {
        let name = UpstreamName(kind: .backfill, host: host)
        return try #require(try await test.ledger.acquireUpstream(name, worker: test.worker, ttl: TestLedger.ttl))
    }

    @Test("a page's jobs and its cursor are stored together, each DID once, and a repeated page adds none")
    func pages() async throws {
        let test = try await TestLedger.make()
        let lease = try await source(test)
        #expect(try await test.ledger.openBackfillSource(lease, method: "listRepos").cursor == nil)
        #expect(try await test.ledger.storePage(lease, page: page(["did:a:1", "did:a:2", "did:a:1"]), comparesRevisions: false) == 2)
        #expect(try await test.ledger.storePage(lease, page: page(["did:a:2", "did:a:3"], cursor: nil), comparesRevisions: false) == 1)
        let stored = try await test.ledger.openBackfillSource(lease, method: "listRepos")
        #expect(stored.state == .listed)
        #expect(stored.listed == 5)
        #expect(try await test.ledger.backfillCounts(source: "pds.example").open == 3)
        try await test.end()
    }

    @Test("an enumeration that was taken over stores nothing more")
    func fenced() async throws {
        let test = try await TestLedger.make()
        let lease = try await source(test)
        _ = try await test.ledger.openBackfillSource(lease, method: "listRepos")
        try await test.pool.execute("UPDATE upstreams SET expires_at = '-infinity'")
        _ = try await source(test)
        let error = await failure { _ = try await test.ledger.storePage(lease, page: page(["did:a:1"]), comparesRevisions: false) }
        #expect(error?.code == .fenced)
        #expect(try await test.number("SELECT count(*) FROM backfill_jobs") == 0)
        try await test.end()
    }

    @Test("a final state in a listing is recorded and not fetched")
    func finalStates() async throws {
        let test = try await TestLedger.make()
        let lease = try await source(test)
        _ = try await test.ledger.openBackfillSource(lease, method: "listRepos")
        _ = try await test.ledger.storePage(lease, page: page(["did:a:1"], final: "takendown"), comparesRevisions: false)
        #expect(try await test.ledger.feedJobs(limit: 10, deadline: .seconds(60)).isEmpty)
        #expect(try await test.ledger.job("did:a:1")?.state == .refused)
        try await test.end()
    }

    @Test("a job goes from waiting to streamed under one attempt; an older attempt changes nothing")
    func attempts() async throws {
        let test = try await TestLedger.make()
        let lease = try await source(test)
        _ = try await test.ledger.openBackfillSource(lease, method: "listRepos")
        _ = try await test.ledger.storePage(lease, page: page(["did:a:1"]), comparesRevisions: false)
        #expect(try await test.ledger.feedJobs(limit: 10, deadline: .seconds(60)) == ["did:a:1"])
        #expect(try await test.ledger.feedJobs(limit: 10, deadline: .seconds(60)).isEmpty)
        let first = try #require(try await test.ledger.claimJob("did:a:1", deadline: .seconds(60)))
        // As if nothing had been heard of it for long.
        let second = try #require(try await test.ledger.claimJob("did:a:1", deadline: .seconds(60), silentWithin: .seconds(60)))
        #expect(second.attempt > first.attempt)
        #expect(try await test.ledger.touchJobs([("did:a:1", first.attempt)], deadline: .seconds(60)).isEmpty)
        #expect(try await test.ledger.streamedJob(first, host: "h", records: 1, bytes: 1, deadline: .seconds(60)) == false)
        #expect(try await test.ledger.streamedJob(second, host: "h", records: 1, bytes: 1, deadline: .seconds(60)))
        #expect(try await test.ledger.claimJob("did:a:1", deadline: .seconds(60)) == nil)
        try await test.end()
    }

    @Test("an attempt that is heard of is taken by nobody, however often the queue has its job; one that fell silent is")
    func live() async throws {
        let test = try await TestLedger.make()
        let lease = try await source(test)
        _ = try await test.ledger.openBackfillSource(lease, method: "listRepos")
        _ = try await test.ledger.storePage(lease, page: page(["did:a:1"]), comparesRevisions: false)
        _ = try await test.ledger.feedJobs(limit: 10, deadline: .seconds(60))
        let first = try #require(try await test.ledger.claimJob("did:a:1", deadline: .seconds(90)))
        #expect(try await test.ledger.claimJob("did:a:1", deadline: .seconds(90)) == nil)
        #expect(try await test.ledger.claimJob("did:a:1", deadline: .seconds(90), silentWithin: .seconds(56)) == nil)
        #expect(try await test.ledger.job("did:a:1")?.attempt == first.attempt)

        // 45 seconds without a word; a sign of life puts that off.
        let silence = "UPDATE backfill_jobs SET deadline = deadline - interval '45 s'"
        try await test.pool.execute(silence)
        #expect(try await test.ledger.touchJobs([("did:a:1", first.attempt)], deadline: .seconds(90)) == ["did:a:1"])
        #expect(try await test.ledger.claimJob("did:a:1", deadline: .seconds(90), silentWithin: .seconds(56)) == nil)
        try await test.pool.execute(silence)
        let second = try #require(try await test.ledger.claimJob("did:a:1", deadline: .seconds(90), silentWithin: .seconds(56)))
        #expect(second.attempt > first.attempt)

        // Past its deadline nobody has to know how long fetchers are waited for.
        try await test.pool.execute("UPDATE backfill_jobs SET deadline = clock_timestamp()")
        #expect(try await test.ledger.claimJob("did:a:1", deadline: .seconds(90)) != nil)
        try await test.end()
    }

    @Test("what is past its deadline waits again, and so does everything queued where the queue was lost")
    func sweep() async throws {
        let test = try await TestLedger.make()
        let lease = try await source(test)
        _ = try await test.ledger.openBackfillSource(lease, method: "listRepos")
        _ = try await test.ledger.storePage(lease, page: page(["did:a:1", "did:a:2"]), comparesRevisions: false)
        _ = try await test.ledger.feedJobs(limit: 10, deadline: .seconds(60))
        #expect(try await test.ledger.sweepJobs(limit: 10, queueIsEmpty: false) == 0)
        try await test.pool.execute("UPDATE backfill_jobs SET changed_at = changed_at - interval '5 s'")
        #expect(try await test.ledger.sweepJobs(limit: 10, queueIsEmpty: true) == 2)
        _ = try await test.ledger.feedJobs(limit: 10, deadline: .seconds(60))
        _ = try await test.ledger.claimJob("did:a:1", deadline: .zero)
        #expect(try await test.ledger.sweepJobs(limit: 10, queueIsEmpty: false) == 1)
        #expect(try await test.ledger.job("did:a:1")?.error == "no progress until its deadline while fetching")
        try await test.end()
    }

    @Test("jobs of a parked host are not fed until it is let go")
    func parked() async throws {
        let test = try await TestLedger.make()
        let lease = try await source(test)
        _ = try await test.ledger.openBackfillSource(lease, method: "listRepos")
        _ = try await test.ledger.storePage(lease, page: page(["did:a:1"]), comparesRevisions: false)
        _ = try await test.ledger.feedJobs(limit: 10, deadline: .seconds(60))
        let job = try #require(try await test.ledger.claimJob("did:a:1", deadline: .seconds(60)))
        try await test.ledger.returnJob(job, host: "slow.example", error: "429", retryAfter: .zero, isFailure: false)
        try await test.ledger.parkHost("slow.example", for: .seconds(60), reason: "429")
        #expect(try await test.ledger.feedJobs(limit: 10, deadline: .seconds(60)).isEmpty)
        #expect(try await test.ledger.parkedHosts(limit: 10).map(\.host) == ["slow.example"])
        try await test.ledger.unparkHost("slow.example")
        #expect(try await test.ledger.feedJobs(limit: 10, deadline: .seconds(60)) == ["did:a:1"])
        try await test.end()
    }

    @Test("a job that is given up leaves a dead letter and is counted")
    func dead() async throws {
        let test = try await TestLedger.make()
        let lease = try await source(test)
        _ = try await test.ledger.openBackfillSource(lease, method: "listRepos")
        _ = try await test.ledger.storePage(lease, page: page(["did:a:1"]), comparesRevisions: false)
        for _ in 0..<2 { try await test.ledger.buryJob("did:a:1", error: "five fetchers died over it", attempts: 5) }
        #expect(try await test.ledger.backfillCounts(source: "pds.example").dead == 1)
        #expect(try await test.number("SELECT count(*) FROM dead_letters WHERE key = 'did:a:1' AND attempts = 5") == 1)
        try await test.end()
    }
}
