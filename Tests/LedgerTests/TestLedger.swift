import Events
import PostgresClient
import TestSupport

@testable import Ledger

/// A ledger in a schema of a test's own; ``end()`` drops it.
struct TestLedger {
    let ledger: Ledger
    let schema: String
    let worker: WorkerID
    /// Looks at the tables past the ledger.
    let pool: PostgresPool

    /// Longer than any test, on any machine.
    static let ttl: Duration = .seconds(3_600)

    static func make(shards: Int = 4) async throws -> TestLedger {
        let schema = RandomName.schema()
        let worker = WorkerID("\(schema)-a")
        let test = TestLedger(
            ledger: try await ledger(schema, worker), schema: schema, worker: worker, pool: try await pool(schema, WorkerID("\(schema)-look")))
        try await test.ledger.migrate(shards: ShardMap(count: shards)) { _ in }
        return test
    }

    /// Another process's ledger over the same schema.
    func other(_ name: String) async throws -> (ledger: Ledger, worker: WorkerID) {
        let worker = WorkerID("\(schema)-\(name)")
        return (try await Self.ledger(schema, worker), worker)
    }

    static func ledger(_ schema: String, _ worker: WorkerID) async throws -> Ledger {
        Ledger(pool: try await pool(schema, worker), schema: schema)
    }

    static func pool(_ schema: String, _ worker: WorkerID) async throws -> PostgresPool {
        try await SharedServers.pool(schema: schema, name: worker.description)
    }

    func end() async throws {
        await ledger.pool.close()
        try await pool.execute("DROP SCHEMA \(schema) CASCADE")
        await pool.close()
    }

    func number(_ sql: String) async throws -> Int64 { try await pool.query(sql)[0].value(0) }

    /// Asks the server until a session waits for a lock of that one; false where none does for ten seconds.
    func waitUntilBlocked(by backend: Int32) async throws -> Bool {
        let deadline = ContinuousClock.now + .seconds(10)
        while ContinuousClock.now < deadline {
            if try await number("SELECT count(*) FROM pg_stat_activity WHERE \(backend) = ANY (pg_blocking_pids(pid))") > 0 { return true }
        }
        return false
    }

    /// The lease of one shard.
    func lease(_ shard: Shard = 0) async throws -> ShardLease {
        guard let lease = try await ledger.acquireShards([shard], worker: worker, ttl: Self.ttl).first else {
            throw TestSupportError("shard \(shard) was not free")
        }
        return lease
    }

    func upstream(_ host: String = "relay.example") async throws -> UpstreamLease {
        guard let lease = try await ledger.acquireUpstream(UpstreamName(kind: .firehose, host: host), worker: worker, ttl: Self.ttl) else {
            throw TestSupportError("\(host) was not free")
        }
        return lease
    }

    /// As if the lease had run out.
    func expireShards() async throws { try await pool.execute("UPDATE shards SET expires_at = '-infinity'") }

    static func event(_ number: Int, body: String = "{}") -> Events.LogEvent {
        Events.LogEvent(
            run: .firehose(0), seq: 0, kind: .record, did: "did:plc:\(number)", rev: "3k\(number)", collection: "app.bsky.feed.post",
            rkey: "r\(number)", action: .create, cid: "bafy\(number)", host: "relay.example", time: "2026-01-01T00:00:00Z", body: Array(body.utf8))
    }
}

/// The error of a call that must fail.
func failure(of body: () async throws -> Void) async -> LedgerError? {
    do {
        try await body()
        return nil
    } catch {
        return error as? LedgerError
    }
}
