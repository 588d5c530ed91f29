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

        let repositories = try await test.ledger.repositories(["did:plc:a", "did:plc:b", "did:plc:c"])
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
