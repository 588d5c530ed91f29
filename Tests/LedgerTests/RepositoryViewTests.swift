import Events
import PostgresClient
import Testing

@testable import Ledger

@Suite("Views of repositories", .timeLimit(.minutes(5)))
struct RepositoryViewTests {
    private let shards = ShardMap(count: 4)

    private func view(_ test: TestLedger, _ did: String) async throws -> RepositoryView {
        try await test.ledger.repositoryView(did, shard: shards.shard(of: did))
    }

    @Test("of what nobody knows there is nothing to tell")
    func nothing() async throws {
        let test = try await TestLedger.make()
        let view = try await view(test, "did:a:1")
        #expect(view.phase == .unknown && view.row == nil && view.job == nil && view.identity == nil && view.isWanted == nil)
        #expect(view.held == 0 && view.records == 0)
        try await test.end()
    }

    @Test("a view has the row, the job, the identity, the scope and the counts of its repository and of no other")
    func everything() async throws {
        let test = try await TestLedger.make()
        let (did, other) = ("did:a:1", "did:a:2")
        let shard = shards.shard(of: did)
        _ = try await test.ledger.addRepositories([did, other], shards: shards, reason: "requested")
        try await test.ledger.storeIdentities([
            StoredIdentity(did: did, status: .found, host: "https://pds.example", handle: "a.example", fetchedAt: WallTime(microseconds: 5))
        ])
        try await test.pool.execute(
            """
            INSERT INTO repositories VALUES (\(shard), '\(did)', '3krev', '\\x0171', 'desynchronized', 'fork', to_timestamp(7), NULL);
            INSERT INTO records SELECT \(shard), '\(did)', 'a.b.c/' || i, '\\x00' FROM generate_series(1, 3) i;
            INSERT INTO records VALUES (\(shards.shard(of: other)), '\(other)', 'a.b.c/1', '\\x00');
            INSERT INTO held (shard, did, rev, reason, host, session, n, epoch, seq, kind, time, frame, held_since, due_at, attempts)
                VALUES (\(shard), '\(did)', '3kx', 'predecessor', 'h', 1, 1, 1, 1, 'commit', '', '\\x', now(), now(), 0);
            UPDATE backfill_jobs SET failures = 2, error = 'timed out', host = 'pds.example', retry_at = now() + interval '1 h' WHERE did = '\(did)'
            """)
        let view = try await view(test, did)
        #expect(view.phase == .failed)
        #expect(view.row?.status == "desynchronized" && view.row?.reason == "fork" && view.row?.rev == "3krev" && view.row?.data == [1, 0x71])
        #expect(view.row?.identityTime == WallTime(microseconds: 7_000_000) && view.row?.accountTime == nil)
        #expect(view.job?.failures == 2 && view.job?.error == "timed out" && view.job?.host == "pds.example")
        #expect(view.identity?.handle == "a.example" && view.isWanted == true && view.request == nil)
        #expect(view.records == 3 && view.held == 1)
        _ = try await test.ledger.removeRepositories([did], shards: shards)
        let removed = try await self.view(test, did)
        #expect(removed.phase == .removed && removed.isWanted == false && removed.request == "remove" && removed.job == nil)
        try await test.end()
    }

    @Test("records are counted up to a bound")
    func bounded() async throws {
        let test = try await TestLedger.make()
        let shard = shards.shard(of: "did:a:1")
        try await test.pool.execute("INSERT INTO records SELECT \(shard), 'did:a:1', 'a.b.c/' || i, '\\x00' FROM generate_series(1, 100010) i")
        #expect(try await view(test, "did:a:1").records == RepositoryView.countMax + 1)
        try await test.end()
    }

    @Test("a view is planned for its shard each time, and the setting for that ends with it")
    func plans() async throws {
        let test = try await TestLedger.make()
        // From the sixth time on the server may choose a plan for every shard, which locks all their partitions.
        for _ in 0..<8 { _ = try await view(test, "did:a:1") }
        let generic = "SELECT coalesce(sum(generic_plans), -1)::bigint FROM pg_prepared_statements WHERE statement LIKE '-- What is told%'"
        #expect(try await test.ledger.pool.query(generic)[0].value(0, as: Int64.self) == 0)
        #expect(try await test.ledger.pool.query("SHOW plan_cache_mode")[0].value(0, as: String.self) == "auto")
        try await test.end()
    }

    @Test("repositories are listed by pages in order of DID: what has a job, and what was named")
    func pages() async throws {
        let test = try await TestLedger.make()
        let dids = (0..<25).map { "did:plc:\($0 + 10)" }
        _ = try await test.ledger.addRepositories(dids, shards: shards, reason: "requested")
        _ = try await test.ledger.removeRepositories(["did:plc:12"], shards: shards)
        try await test.pool.execute("INSERT INTO backfill_jobs (did, shard, source, reason, state) VALUES ('did:plc:00', 1, 'h', 'listed', 'done')")
        try await test.pool.execute(
            "INSERT INTO repositories VALUES (\(shards.shard(of: "did:plc:13")), 'did:plc:13', '3k', '', 'active', '', NULL, NULL)")
        var after: String?
        var found: [RepositorySummary] = []
        repeat {
            let page = try await test.ledger.trackedRepositories(phase: nil, after: after, limit: 7)
            found += page.repositories
            after = page.next
        } while after != nil
        #expect(found.map(\.did) == ["did:plc:00"] + dids)
        #expect(found.filter { $0.phase == .removed }.map(\.did) == ["did:plc:12"])
        #expect(found.filter { $0.phase == .active }.map(\.rev) == ["3k"])
        try await test.end()
    }

    @Test("a phase is looked for among a bounded number of repositories, and the page says where to go on")
    func byPhase() async throws {
        let test = try await TestLedger.make()
        try await test.pool.execute(
            """
            INSERT INTO backfill_jobs (did, shard, source, reason, state, failures, retry_at, error)
            SELECT 'did:plc:' || lpad(i::text, 6, '0'), 1, 'h', 'listed', CASE WHEN i % 4000 = 0 THEN 'waiting' ELSE 'queued' END, 3, to_timestamp(9), 'no'
            FROM generate_series(1, 11000) i
            """)
        let first = try await test.ledger.trackedRepositories(phase: .failed, after: nil, limit: 10)
        #expect(first.repositories.map(\.did) == ["did:plc:004000"] && first.next == "did:plc:005000")
        #expect(first.repositories[0].retryAt == WallTime(microseconds: 9_000_000) && first.repositories[0].error == "no")
        let second = try await test.ledger.trackedRepositories(phase: .failed, after: first.next, limit: 10)
        #expect(second.repositories.map(\.did) == ["did:plc:008000"] && second.next == "did:plc:010000")
        #expect(try await test.ledger.trackedRepositories(phase: .failed, after: second.next, limit: 10).next == nil)
        // A full page goes on behind its last, not behind what was looked at.
        let one = try await test.ledger.trackedRepositories(phase: .failed, after: nil, limit: 1)
        #expect(one.next == "did:plc:004000")
        try await test.end()
    }
}
