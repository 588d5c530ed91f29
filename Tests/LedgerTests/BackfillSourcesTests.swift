import Events
import PostgresClient
import Testing

@testable import Ledger

@Suite("Backfill sources", .timeLimit(.minutes(10)))
struct BackfillSourcesTests {
    private let host = "pds.example"

    private func page(_ entries: [(did: String, rev: String, final: String?)], cursor: String? = "more") -> ListedPage {
        ListedPage(entries: entries.map { .init(did: $0.did, shard: 1, rev: $0.rev, final: $0.final) }, cursor: cursor)
    }

    private func source(_ test: TestLedger) async throws -> UpstreamLease {
        let name = UpstreamName(kind: .backfill, host: host)
        return try #require(try await test.ledger.acquireUpstream(name, worker: test.worker, ttl: TestLedger.ttl))
    }

    private func declareGap(_ test: TestLedger, kind: String = "firehose", after: Int) async throws {
        _ = try await test.pool.query("INSERT INTO upstreams (kind, host) VALUES ('\(kind)', 'relay.example') ON CONFLICT DO NOTHING")
        _ = try await test.pool.query(
            """
            INSERT INTO declared_gaps (upstream, after_epoch, after_seq, through_epoch, through_seq)
            SELECT id, 0, \(after), 0, \(after + 5) FROM upstreams WHERE kind = '\(kind)' AND host = 'relay.example'
            """)
    }

    @Test("final states are counted as refused, and wait for nothing")
    func finals() async throws {
        let test = try await TestLedger.make()
        let lease = try await source(test)
        _ = try await test.ledger.openBackfillSource(lease, method: "listRepos")
        let entries = [("did:a:1", "3a", nil), ("did:a:2", "3a", "takendown"), ("did:a:3", "3a", "deleted")]
        #expect(try await test.ledger.storePage(lease, page: page(entries), comparesRevisions: false) == 1)
        let counts = try await test.ledger.backfillCounts(source: host)
        #expect(counts.refused == 2)
        #expect(counts.open == 1)
        try await test.end()
    }

    @Test("a later pass wants again what is behind the listed revision, unknown, or listed without one; and nothing that is not")
    func comparison() async throws {
        let test = try await TestLedger.make()
        let lease = try await source(test)
        _ = try await test.ledger.openBackfillSource(lease, method: "listRepos")
        let names = ["behind", "same", "ahead", "unknown", "silent", "gone"]
        let listed = names.map { name in (did: "did:a:\(name)", rev: name == "silent" ? "" : "3b", final: name == "gone" ? "deleted" : nil) }
        _ = try await test.ledger.storePage(lease, page: page(listed.map { ($0.did, $0.rev, nil) }), comparesRevisions: false)
        try await test.pool.execute("UPDATE backfill_jobs SET state = 'done'")
        for (name, rev) in [("behind", "3a"), ("same", "3b"), ("ahead", "3c"), ("silent", "3c"), ("gone", "3a")] {
            _ = try await test.pool.query(
                "INSERT INTO repositories (shard, did, rev, data, status, reason) VALUES (1, 'did:a:\(name)', '\(rev)', '', 'active', '')")
        }
        #expect(try await test.ledger.storePage(lease, page: page(listed), comparesRevisions: false) == 0)
        #expect(try await test.ledger.storePage(lease, page: page(listed), comparesRevisions: true) == 3)
        let wanted = try await test.pool.query("SELECT did FROM backfill_jobs WHERE state = 'waiting' AND reason = 'behind' ORDER BY did")
        #expect(try wanted.map { try $0.value(0, as: String.self) } == ["did:a:behind", "did:a:silent", "did:a:unknown"])
        try await test.end()
    }

    @Test("a pass begins again from its first page and says how often; another method is another pass")
    func rewindAndMethod() async throws {
        let test = try await TestLedger.make()
        let lease = try await source(test)
        _ = try await test.ledger.openBackfillSource(lease, method: "listRepos")
        _ = try await test.ledger.storePage(lease, page: page([("did:a:1", "3a", nil)]), comparesRevisions: false)
        try await test.ledger.rewindBackfillSource(lease, error: "a circle")
        let again = try await test.ledger.openBackfillSource(lease, method: "listRepos")
        #expect(again.cursor == nil && again.listed == 0 && again.pass == 1 && again.restarts == 1 && again.state == .listing)
        _ = try await test.ledger.storePage(lease, page: page([("did:a:1", "3a", nil)], cursor: nil), comparesRevisions: false)
        let other = try await test.ledger.openBackfillSource(lease, method: "listReposByCollection a.b.c")
        #expect(other.cursor == nil && other.listed == 0 && other.pass == 2 && other.restarts == 0 && other.state == .listing)
        try await test.end()
    }

    @Test("gaps of relays that were declared before a list began are none of its cares; another pass takes those since")
    func gaps() async throws {
        let test = try await TestLedger.make()
        try await declareGap(test, after: 10)
        try await declareGap(test, kind: "labeler", after: 10)
        let lease = try await source(test)
        #expect(try await test.ledger.openBackfillSource(lease, method: "listRepos").gapsSeen == 1)
        try await declareGap(test, after: 20)
        #expect(try await test.ledger.declaredGaps() == 2)
        try await test.ledger.restartBackfillSource(lease, gapsSeen: 2)
        let second = try await test.ledger.openBackfillSource(lease, method: "listRepos")
        #expect(second.pass == 2 && second.gapsSeen == 2 && second.state == .listing)
        try await test.pool.execute("UPDATE upstreams SET token = token + 1")
        #expect(await failure { try await test.ledger.restartBackfillSource(lease, gapsSeen: 2) }?.code == .fenced)
        #expect(await failure { try await test.ledger.rewindBackfillSource(lease, error: "") }?.code == .fenced)
        try await test.end()
    }

    @Test("what is told is in the run and in the status, and the source is finished with its run")
    func tells() async throws {
        let test = try await TestLedger.make()
        let lease = try await source(test)
        let run = try #require(RunID.backfill(host: host))
        _ = try await test.ledger.openBackfillSource(lease, method: "listRepos")
        _ = try await test.ledger.createRun(run, kind: "backfill", sinks: ["outlet"])
        func tell(_ pass: Int, ending: RunSummary.State? = nil) async throws -> Int64 {
            try await test.ledger.tellBackfill(lease, pass: pass, run: run, progress: Array("{\"done\":1}".utf8), open: 7, failing: 2, ending: ending)
        }
        #expect(try await tell(1) == 1)
        let source = try #require(try await test.ledger.status().backfill.sources.first)
        #expect(source.counts.open == 7 && source.counts.failing == 2 && source.host == host && source.state == .listing)
        #expect(await failure { _ = try await tell(2) }?.code == .contention)
        #expect(await failure { _ = try await tell(1, ending: .finished) }?.code == .contention, "the list is not at its end")
        _ = try await test.ledger.storePage(lease, page: page([("did:a:1", "3a", nil)], cursor: nil), comparesRevisions: false)
        #expect(try await tell(1, ending: .finished) == 3)
        #expect(try await test.ledger.openBackfillSource(lease, method: "listRepos").state == .finished)
        #expect(await failure { _ = try await tell(1) }?.code == .runEnded)
        let events = try await test.ledger.events(run: run, after: 0, limit: 10, maxBytes: 10_000)
        #expect(events.map(\.kind) == [.progress, .progress, .terminal])
        #expect(String(decoding: events[0].body, as: UTF8.self) == "{\"done\":1}")
        try await test.pool.execute("UPDATE upstreams SET token = token + 1")
        #expect(await failure { _ = try await tell(1) }?.code == .fenced)
        try await test.end()
    }

    @Test("a job that is seen in the stream keeps standing there, another one waits again behind its deadline")
    func kept() async throws {
        let test = try await TestLedger.make()
        let lease = try await source(test)
        _ = try await test.ledger.openBackfillSource(lease, method: "listRepos")
        _ = try await test.ledger.storePage(lease, page: page([("did:a:1", "", nil), ("did:a:2", "", nil)]), comparesRevisions: false)
        _ = try await test.ledger.feedJobs(limit: 10, deadline: .zero)
        try await test.ledger.keepQueued(["did:a:1", "did:a:unknown"], deadline: .seconds(60))
        #expect(try await test.ledger.sweepJobs(limit: 10, queueIsEmpty: false) == 1)
        #expect(try await test.ledger.job("did:a:1")?.state == .queued)
        #expect(try await test.ledger.job("did:a:2")?.state == .waiting)
        try await test.end()
    }

    @Test("the status counts jobs by state and lists parked hosts")
    func status() async throws {
        let test = try await TestLedger.make()
        let lease = try await source(test)
        _ = try await test.ledger.openBackfillSource(lease, method: "listRepos")
        _ = try await test.ledger.storePage(lease, page: page((0..<10).map { ("did:a:\($0)", "", nil) }), comparesRevisions: false)
        for did in try await test.ledger.feedJobs(limit: 3, deadline: .seconds(60)).prefix(1) {
            _ = try await test.ledger.claimJob(did, deadline: .seconds(60))
        }
        try await test.ledger.parkHost("slow.example", for: .seconds(60), reason: "429")
        let backfill = try await test.ledger.status().backfill
        #expect(backfill.jobs == BackfillStatus.Jobs(waiting: 7, queued: 2, fetching: 1, streamed: 0))
        #expect(backfill.parkedCount == 1 && backfill.parked.map(\.host) == ["slow.example"])
        #expect(try await test.ledger.parkedHostCount() == 1)
        try await test.end()
    }
}
