import Events
import PostgresClient
import Testing

@testable import Ledger

@Suite(.timeLimit(.minutes(10))) struct ShardLeaseTests {
    @Test func `free shards are taken, others' fresh ones are not, and tokens only grow`() async throws {
        let test = try await TestLedger.make()
        let (other, name) = try await test.other("b")
        let first = try await test.ledger.acquireShards([0, 1], worker: test.worker, ttl: TestLedger.ttl)
        #expect(first.map(\.shard) == [0, 1])
        #expect(try await other.acquireShards([0, 1, 2], worker: name, ttl: TestLedger.ttl).map(\.shard) == [2])
        try await test.ledger.releaseShards([first[0]])
        let second = try await other.acquireShards([0], worker: name, ttl: TestLedger.ttl)
        #expect(try #require(second.first).token > first[0].token)
        // A release with an old token is without effect.
        try await test.ledger.releaseShards([first[0]])
        #expect(try await test.ledger.acquireShards([0], worker: test.worker, ttl: TestLedger.ttl).isEmpty)
        await other.pool.close()
        try await test.end()
    }

    @Test func `a round tells what is owned, what is free and who lives`() async throws {
        let test = try await TestLedger.make()
        let (other, name) = try await test.other("b")
        _ = try await other.renewShards(worker: name, ttl: TestLedger.ttl)
        let lease = try await test.lease(2)
        let round = try await test.ledger.renewShards(worker: test.worker, ttl: TestLedger.ttl)
        #expect(round.owned == [lease])
        #expect(round.free == [0, 1, 3])
        #expect(round.liveWorkers == 2)
        try await other.leave(worker: name)
        #expect(try await test.ledger.renewShards(worker: test.worker, ttl: TestLedger.ttl).liveWorkers == 1)
        try await test.expireShards()
        let late = try await test.ledger.renewShards(worker: test.worker, ttl: TestLedger.ttl)
        #expect(late.owned.isEmpty)
        #expect(late.free == [0, 1, 2, 3])
        await other.pool.close()
        try await test.end()
    }

    @Test func `a renewal does not wait for a batch that holds the fence`() async throws {
        let test = try await TestLedger.make()
        let lease = try await test.lease()
        try await test.pool.transaction { connection in
            let rows = try await connection.query(BatchSQL.commitFence, [.int32(0), .int64(lease.token.value)])
            #expect(rows.count == 1)
            let round = try await test.ledger.renewShards(worker: test.worker, ttl: TestLedger.ttl)
            #expect(round.owned == [lease])
        }
        try await test.end()
    }

    @Test func `a take-over ends the backend of an owner that stopped in mid-COPY`() async throws {
        let test = try await TestLedger.make()
        let (other, name) = try await test.other("b")
        let lease = try await test.lease()
        // The old owner's process: it sent its fence and half a COPY, and says nothing more.
        let stopped = try await PostgresConnection.connect(test.ledger.pool.configuration)
        try await stopped.execute("BEGIN")
        _ = try await stopped.query(BatchSQL.commitFence, [.int32(0), .int64(lease.token.value)])
        let id = await stopped.backendID
        let idle = try await test.ledger.pool.query("SELECT pg_backend_pid()")[0].value(0, as: Int32.self)
        #expect(try await other.acquireShards([0], worker: name, ttl: TestLedger.ttl).isEmpty, "the lease is fresh")
        #expect(try await test.number("SELECT count(*) FROM pg_stat_activity WHERE pid = \(id)") == 1)
        try await test.expireShards()
        let taken = try await other.acquireShards([0], worker: name, ttl: TestLedger.ttl)
        #expect(taken.map(\.shard) == [0])
        #expect(try await test.number("SELECT count(*) FROM pg_stat_activity WHERE pid = \(id)") == 0)
        // A slow owner, one that is not stopped, keeps the connections that hold nothing up, and meets the fence.
        #expect(try await test.number("SELECT count(*) FROM pg_stat_activity WHERE pid = \(idle)") == 1)
        let error = await failure { _ = try await test.ledger.commit(ShardBatch(lease: lease)) }
        #expect(error?.mayHaveCommitted == false)
        #expect(error?.code == .fenced)
        await stopped.close()
        await other.pool.close()
        try await test.end()
    }

    @Test func `an expired lease without a transaction is taken without ending anybody`() async throws {
        let test = try await TestLedger.make()
        let (other, name) = try await test.other("b")
        _ = try await test.lease()
        let before = try await test.ledger.pool.query("SELECT pg_backend_pid()")[0].value(0, as: Int32.self)
        try await test.expireShards()
        #expect(try await other.acquireShards([0], worker: name, ttl: TestLedger.ttl).count == 1)
        #expect(try await test.number("SELECT count(*) FROM pg_stat_activity WHERE pid = \(before)") == 1)
        await other.pool.close()
        try await test.end()
    }

    @Test func `a halted shard is seen by all, and only its owner can halt it`() async throws {
        let test = try await TestLedger.make()
        let lease = try await test.lease(1)
        try await test.ledger.setHalted(lease, reason: "a gap")
        #expect(try await test.ledger.haltedShards() == [1: "a gap"])
        let stale = ShardLease(shard: 1, token: FencingToken(lease.token.value - 1))
        #expect(await failure { try await test.ledger.setHalted(stale, reason: nil) }?.code == .fenced)
        try await test.ledger.setHalted(lease, reason: nil)
        #expect(try await test.ledger.haltedShards().isEmpty)
        try await test.end()
    }
}
