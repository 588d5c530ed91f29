import Events
import PostgresClient
import Testing

@testable import Ledger

@Suite(.timeLimit(.minutes(10))) struct ShardBatchTests {
    /// A batch that changes everything a batch can.
    private func fullBatch(_ test: TestLedger, _ lease: ShardLease, _ upstream: UpstreamLease, session: Int64) -> ShardBatch {
        var batch = ShardBatch(lease: lease)
        batch.events = (1...3).map { TestLedger.event($0, body: "{\"text\":\"Grüße \($0)\"}") }
        batch.repositories = [
            RepositoryState(
                did: "did:plc:b", rev: "3kb", data: [1, 0, 2], status: .desynchronized, reason: "chain", identityTime: WallTime(microseconds: 5)),
            RepositoryState(did: "did:plc:a", accountTime: WallTime(microseconds: 7)),
        ]
        batch.offset = EntryID(milliseconds: 1000, sequence: 3)
        batch.sessions = [SessionProgress(upstream: upstream.upstream, session: session, expectedN: 17, broken: true)]
        batch.watermarks = [upstream.upstream: Position(epoch: 0, seq: 44)]
        let entry = UpstreamEntry(
            host: "relay.example", session: session, n: 3, position: Position(epoch: 0, seq: 40), kind: .commit, did: "did:plc:h", rev: "3kh",
            time: "2026", frame: [0, 1, 2, 255])
        let now = WallTime(microseconds: 1_000_000)
        batch.held = [
            HeldMessage(did: "did:plc:h", rev: "3kh", reason: .predecessor, entry: entry, heldSince: now, dueAt: WallTime(microseconds: 2_000_000))
        ]
        batch.refused = [RefusedMessage(reason: "bad_signature", detail: "of \0 nobody", entry: entry)]
        batch.gaps = [(upstream.upstream, UpstreamEntry.Gap(after: Position(epoch: 0, seq: 1), through: Position(epoch: 0, seq: 2)))]
        return batch
    }

    private func batch(_ lease: ShardLease, to milliseconds: UInt64) -> ShardBatch {
        var batch = ShardBatch(lease: lease)
        batch.offset = EntryID(milliseconds: milliseconds, sequence: 0)
        return batch
    }

    @Test func `everything of a batch is there after its commit`() async throws {
        let test = try await TestLedger.make()
        let lease = try await test.lease()
        let upstream = try await test.upstream()
        let session = try await test.ledger.openSession(upstream, from: Position(epoch: 0, seq: 0), gap: nil)
        let commit = try await test.ledger.commit(fullBatch(test, lease, upstream, session: session))
        #expect(commit.seqs == 1..<4)

        let events = try await test.ledger.events(run: .firehose(0), after: 0, limit: 10, maxBytes: 10_000)
        #expect(events.map(\.seq) == [1, 2, 3])
        #expect(events.allSatisfy { $0.loggedAt == commit.loggedAt })
        var expected = TestLedger.event(2, body: "{\"text\":\"Grüße 2\"}")
        expected.seq = 2
        expected.loggedAt = commit.loggedAt
        #expect(events[1] == expected)

        let state = try await test.ledger.shardState(lease)
        #expect(state.offset == EntryID(milliseconds: 1000, sequence: 3))
        #expect(state.sessions == [SessionProgress(upstream: upstream.upstream, session: session, expectedN: 17, broken: true)])
        #expect(state.watermarks == [upstream.upstream: Position(epoch: 0, seq: 44)])
        #expect(state.lastSeq == 3)
        #expect(state.heldCount == 1)

        let repositories = try await test.ledger.repositories(shard: 0, dids: ["did:plc:a", "did:plc:b", "did:plc:c"])
        #expect(repositories.count == 2)
        #expect(repositories["did:plc:b"]?.data == [1, 0, 2])
        #expect(repositories["did:plc:b"]?.status == .desynchronized)
        #expect(repositories["did:plc:a"]?.accountTime == WallTime(microseconds: 7))
        #expect(try await test.number("SELECT count(*) FROM refused WHERE detail LIKE 'of % nobody'") == 1)
        #expect(try await test.ledger.status().refused == ["bad_signature": 1])
        #expect(try await test.number("SELECT count(*) FROM declared_gaps") == 1)
        #expect(try await test.number("SELECT min(first_seq) FROM run_days") == 1)
        try await test.end()
    }

    @Test func `held messages are found by due time and by DID, postponed and released`() async throws {
        let test = try await TestLedger.make()
        let lease = try await test.lease()
        let upstream = try await test.upstream()
        let session = try await test.ledger.openSession(upstream, from: Position(epoch: 0, seq: 0), gap: nil)
        let full = fullBatch(test, lease, upstream, session: session)
        _ = try await test.ledger.commit(full)
        #expect(try await test.ledger.held(shard: 0, dueBy: WallTime(microseconds: 1_999_999), dids: [], limit: 9).isEmpty)
        let found = try #require(try await test.ledger.held(shard: 0, dueBy: WallTime(microseconds: 0), dids: ["did:plc:h"], limit: 9).first)
        var expected = full.held[0]
        expected.id = found.id
        #expect(found == expected)

        var batch = ShardBatch(lease: lease)
        batch.postponed = [(found.id, WallTime(microseconds: 9_000_000))]
        _ = try await test.ledger.commit(batch)
        let later = try #require(try await test.ledger.held(shard: 0, dueBy: WallTime(microseconds: 9_000_000), dids: [], limit: 9).first)
        #expect(later.attempts == 1)
        batch.postponed = []
        batch.released = [found.id]
        _ = try await test.ledger.commit(batch)
        #expect(try await test.ledger.shardState(lease).heldCount == 0)
        try await test.end()
    }

    @Test func `a zombie is refused and leaves nothing`() async throws {
        let test = try await TestLedger.make()
        let zombie = try await test.lease()
        let upstream = try await test.upstream()
        let session = try await test.ledger.openSession(upstream, from: Position(epoch: 0, seq: 0), gap: nil)
        try await test.expireShards()
        let (other, name) = try await test.other("b")
        let owner = try #require(try await other.acquireShards([0], worker: name, ttl: TestLedger.ttl).first)
        #expect(owner.token > zombie.token)
        let error = await failure { _ = try await test.ledger.commit(fullBatch(test, zombie, upstream, session: session)) }
        #expect(error?.code == .fenced)
        #expect(error?.mayHaveCommitted == false)
        #expect(await failure { _ = try await test.ledger.shardState(zombie) }?.code == .fenced)
        let state = try await other.shardState(owner)
        #expect(state.lastSeq == 0)
        #expect(state.offset == .zero)
        #expect(try await test.number("SELECT count(*) FROM run_events") == 0)
        await other.pool.close()
        try await test.end()
    }

    @Test func `behind a fence that does not hold nothing runs, so a zombie waits for no lock of the owner`() async throws {
        let test = try await TestLedger.make()
        let zombie = try await test.lease()
        try await test.expireShards()
        let (other, name) = try await test.other("b")
        _ = try await other.acquireShards([0], worker: name, ttl: TestLedger.ttl)
        var batch = ShardBatch(lease: zombie)
        batch.events = [TestLedger.event(1)]
        try await test.pool.transaction { owner in
            _ = try await owner.query("SELECT 1 FROM runs FOR UPDATE")
            _ = try await owner.query("SELECT 1 FROM shard_positions FOR UPDATE")
            #expect(await failure { _ = try await test.ledger.commit(batch) }?.code == .fenced)
        }
        await other.pool.close()
        try await test.end()
    }

    @Test func `a state that is read behind a lost connection waits for the batch that went with it`() async throws {
        let test = try await TestLedger.make()
        let lease = try await test.lease()
        var batch = self.batch(lease, to: 9)
        batch.events = [TestLedger.event(1)]
        let lost = try await PostgresConnection.connect(test.ledger.pool.configuration)
        try await lost.execute("BEGIN")
        _ = try await lost.pipeline(ShardBatchStatements.opening(batch))
        async let reading = test.ledger.shardState(lease)
        #expect(try await test.waitUntilBlocked(by: await lost.backendID))
        try await lost.execute("COMMIT")
        let state = try await reading
        #expect(state.offset == EntryID(milliseconds: 9, sequence: 0))
        #expect(state.lastSeq == 1)
        await lost.close()
        try await test.end()
    }

    @Test func `an offset is compared with what is committed once the batch can write`() async throws {
        let test = try await TestLedger.make()
        let lease = try await test.lease()
        let (behind, ahead) = (batch(lease, to: 5), batch(lease, to: 9))
        let lost = try await PostgresConnection.connect(test.ledger.pool.configuration)
        try await lost.execute("BEGIN")
        _ = try await lost.pipeline(ShardBatchStatements.opening(ahead))
        let commit = Task { try await test.ledger.commit(behind) }
        #expect(try await test.waitUntilBlocked(by: await lost.backendID))
        try await lost.execute("COMMIT")
        #expect(await failure { _ = try await commit.value }?.code == .corrupt)
        #expect(try await test.ledger.shardState(lease).offset == ahead.offset)
        await lost.close()
        try await test.end()
    }

    @Test func `no shard waits for another one's batch, though both are told of the same loss`() async throws {
        let test = try await TestLedger.make()
        let leases = [try await test.lease(0), try await test.lease(1)]
        let upstream = try await test.upstream()
        let session = try await test.ledger.openSession(upstream, from: Position(epoch: 0, seq: 0), gap: nil)
        let batches = leases.map { lease in
            var batch = fullBatch(test, lease, upstream, session: session)
            batch.rewinds = [(upstream.upstream, session)]
            return batch
        }
        // The first is kept in its COPY while the second, which has no events, is committed.
        let keeper = try await PostgresConnection.connect(test.pool.configuration)
        try await keeper.execute("BEGIN; LOCK TABLE run_events IN SHARE MODE")
        let stalled = batches[0]
        async let first = test.ledger.commit(stalled)
        #expect(try await test.waitUntilBlocked(by: await keeper.backendID))
        var second = batches[1]
        second.events = []
        _ = try await test.ledger.commit(second)
        try await keeper.execute("COMMIT")
        let seqs = try await first.seqs
        #expect(seqs == 1..<4)
        #expect(try await test.number("SELECT count(*) FROM declared_gaps") == 1)
        #expect(try await test.number("SELECT count(*) FROM rewinds WHERE shard = 1") == 1)
        await keeper.close()
        try await test.end()
    }

    @Test func `a publisher's rows are free while a batch is being written`() async throws {
        let test = try await TestLedger.make()
        var batch = ShardBatch(lease: try await test.lease())
        batch.events = [TestLedger.event(1)]
        _ = try await test.ledger.commit(batch)
        try await test.pool.transaction { writer in
            _ = try await RunAppend.append([TestLedger.event(2)], run: batch.run, on: writer)
            let claims = try await test.ledger.claimOutbox(sink: "outlet", publisher: test.worker, ttl: TestLedger.ttl, limit: 10)
            #expect(claims.map(\.lastSeq) == [1])
        }
        let claim = try await test.ledger.run(batch.run)
        #expect(claim?.lastSeq == 2)
        #expect(try await test.number("SELECT tail_seq FROM run_outbox WHERE tail_seq > 0") == 2)
        try await test.end()
    }

    @Test func `a clock that steps back over midnight puts no later seq on an earlier day`() async throws {
        let test = try await TestLedger.make()
        var batch = ShardBatch(lease: try await test.lease())
        batch.events = [TestLedger.event(1)]
        try await test.pool.execute("UPDATE runs SET last_day = '2999-01-01'")
        for _ in 0..<2 { _ = try await test.ledger.commit(batch) }
        #expect(try await test.number("SELECT count(*) FROM run_events WHERE day = '2999-01-01'") == 2)
        #expect(try await test.number("SELECT count(*) FROM run_days WHERE day = '2999-01-01' AND first_seq = 1") == 1)
        try await test.end()
    }

    @Test func `a shard knows the repositories that it committed, in a partition of its own`() async throws {
        let test = try await TestLedger.make()
        for shard in [0, 3] {
            var batch = ShardBatch(lease: try await test.lease(shard))
            for rev in ["3ka", "3kb"] {
                batch.repositories = [RepositoryState(did: "did:plc:\(shard)", rev: rev)]
                _ = try await test.ledger.commit(batch)
            }
        }
        let dids = ["did:plc:0", "did:plc:3"]
        #expect(try await test.ledger.repositories(shard: 3, dids: dids).mapValues(\.rev) == ["did:plc:3": "3kb"])
        #expect(try await test.ledger.repositories(shard: 1, dids: dids).isEmpty)
        #expect(try await test.number("SELECT count(*) FROM repositories_0") == 1)
        try await test.end()
    }

    @Test func `looking repositories up touches the partition of the shard only, however often it is done`() async throws {
        let test = try await TestLedger.make()
        try await test.pool.transaction { connection in
            // A server thinks of a plan for all parameters at the sixth time.
            for _ in 0..<8 { _ = try await connection.query(BatchSQL.selectRepositories, [.int32(2), .texts(["did:plc:a"])]) }
            let locked = try await connection.query(
                "SELECT c.relname FROM pg_locks l JOIN pg_class c ON c.oid = l.relation "
                    + "WHERE l.pid = pg_backend_pid() AND c.relname LIKE 'repositories\\__' ORDER BY 1")
            #expect(try locked.map { try $0.value("relname", as: String.self) } == ["repositories_2"])
        }
        try await test.end()
    }

    /// Statements of a batch before, within and behind the COPY.
    @Test(arguments: ["run_events", "repositories", "held", "refused_counts", "declared_gaps", "run_outbox"])
    func `a fault in the middle of a batch leaves nothing of it`(table: String) async throws {
        let test = try await TestLedger.make()
        let lease = try await test.lease()
        let upstream = try await test.upstream()
        let session = try await test.ledger.openSession(upstream, from: Position(epoch: 0, seq: 0), gap: nil)
        let event = table == "run_outbox" ? "UPDATE" : "INSERT"
        try await test.pool.execute(
            "CREATE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'fault'; END $$;"
                + "CREATE TRIGGER fault BEFORE \(event) ON \(table) FOR EACH ROW EXECUTE FUNCTION fault()")
        let error = await failure { _ = try await test.ledger.commit(fullBatch(test, lease, upstream, session: session)) }
        #expect(error?.code == .other)
        let state = try await test.ledger.shardState(lease)
        #expect(state.offset == .zero)
        #expect(state.lastSeq == 0)
        #expect(state.sessions.isEmpty)
        #expect(state.heldCount == 0)
        for table in ["run_events", "repositories", "refused", "refused_counts", "declared_gaps", "watermarks", "run_days"] {
            #expect(try await test.number("SELECT count(*) FROM \(table)") == 0, "\(table)")
        }
        // The same batch goes in once the fault is gone.
        try await test.pool.execute("DROP FUNCTION fault CASCADE")
        #expect(try await test.ledger.commit(fullBatch(test, lease, upstream, session: session)).seqs == 1..<4)
        try await test.end()
    }

    @Test func `an offset that would turn back is our own corruption`() async throws {
        let test = try await TestLedger.make()
        var batch = ShardBatch(lease: try await test.lease())
        batch.offset = EntryID(milliseconds: 10, sequence: 10)
        _ = try await test.ledger.commit(batch)
        _ = try await test.ledger.commit(batch)
        batch.offset = EntryID(milliseconds: 10, sequence: 9)
        #expect(await failure { _ = try await test.ledger.commit(batch) }?.code == .corrupt)
        batch.offset = nil
        _ = try await test.ledger.commit(batch)
        #expect(try await test.ledger.shardState(batch.lease).offset == EntryID(milliseconds: 10, sequence: 10))
        try await test.end()
    }

    @Test func `only the newest sessions and refused messages of a shard are kept`() async throws {
        let test = try await TestLedger.make()
        let lease = try await test.lease()
        let upstream = try await test.upstream()
        for number in 1...12 as ClosedRange<Int64> {
            var batch = ShardBatch(lease: lease)
            batch.sessions = [SessionProgress(upstream: upstream.upstream, session: number, expectedN: 0)]
            let entry = UpstreamEntry(host: "h", session: number, n: 0, position: Position(epoch: 0, seq: 0), kind: .malformed, frame: [9])
            batch.refused = [RefusedMessage](repeating: RefusedMessage(reason: "r", detail: "", entry: entry), count: 30)
            _ = try await test.ledger.commit(batch)
        }
        let sessions = try await test.ledger.shardState(lease).sessions.map(\.session)
        #expect(sessions.last == 12)
        #expect((8...9).contains(sessions.count))
        #expect(try await test.number("SELECT count(*) FROM refused") == ShardBatchStatements.refusedKept)
        #expect(try await test.ledger.status().refused == ["r": 360])
        try await test.end()
    }
}
