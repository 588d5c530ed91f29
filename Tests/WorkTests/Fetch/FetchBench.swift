import ATProto
import Broker
import Events
import Hosts
import Ledger
import PostgresClient
import RedisClient
import ServiceLifecycle
import TestSupport

@testable import Work

/// Fetchers between scripted hosts, a real Redis and a real Postgres. No enumerator and no owner runs: a test wants repositories itself, and reads what was
/// written for the owners.
struct FetchBench: Sendable {
    let stores: RealStores
    let queue: JobQueue
    let snapshots: SnapshotStreams
    let changes: TableChanges

    /// Four shards, in a schema and under a prefix of the test's own.
    static func with(_ body: (FetchBench) async throws -> Void) async throws {
        try await RealStores.with { stores in
            let queue = JobQueue(redis: stores.redis, keys: stores.keys)
            let snapshots = SnapshotStreams(redis: stores.redis, keys: stores.keys, shards: ShardMap(count: 4))
            let changes = try await TableChanges(of: ["backfill_jobs", "parked_hosts"], schema: stores.ledger.schema, pool: stores.pool)
            try await queue.prepare()
            try await body(FetchBench(stores: stores, queue: queue, snapshots: snapshots, changes: changes))
            for shard in 0..<4 { try await stores.redis.send(RedisCommand("DEL", .string(stores.keys.firehoseBackfill(shard)))) }
            try await stores.redis.send(RedisCommand("DEL", .string(stores.keys.repoBackfill)))
        }
    }

    // MARK: Fetchers

    /// A fetcher of a process of its own. A test that waits for no time waits for none.
    func fetcher(
        _ name: String = "a", directory: StubHost? = nil, seams: FaultSeams = .off, change: (inout FetchConfiguration) -> Void = { _ in }
    ) throws -> FetchService {
        var configuration = FetchConfiguration()
        configuration.spoolFolder = try TestFolder.make("spool")
        configuration.poll = .milliseconds(5)
        configuration.hostRate = 1_000
        configuration.connections.allowPrivateHosts = true
        // Nobody answers there.
        configuration.documents.plcURL = "http://127.0.0.1:\(directory?.port ?? 1)"
        change(&configuration)
        return FetchService(
            configuration: configuration, tracking: TrackingConfiguration(scope: .full), ledger: stores.ledger, snapshots: snapshots, queue: queue,
            worker: WorkerID(name), logger: SharedServers.quietLogger, seams: seams)
    }

    /// Runs a fetcher while `body` runs, then shuts it down gracefully; returns how long that took.
    @discardableResult
    func running(_ fetcher: FetchService, _ body: () async throws -> Void) async throws -> Duration {
        let group = ServiceGroup(services: [fetcher], logger: SharedServers.quietLogger)
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            do { try await body() } catch {
                await group.triggerGracefulShutdown()
                throw error
            }
            let start = ContinuousClock.now
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            return .now - start
        }
    }

    // MARK: What is wanted

    /// Accounts whose identities are known, on one host.
    func know(_ accounts: [TestAccount], at host: StubHost) async throws {
        try await stores.ledger.storeIdentities(
            accounts.map {
                StoredIdentity(
                    did: $0.did, status: .found, signingKey: $0.key.verificationKey.didKey, host: "http://127.0.0.1:\(host.port)",
                    fetchedAt: WorkClock.system.wall())
            })
    }

    /// Wants a snapshot of each, and feeds everything that is due.
    func want(_ accounts: [TestAccount]) async throws {
        _ = try await stores.ledger.addRepositories(accounts.map(\.did), shards: snapshots.shards, reason: "added")
        try await feed()
    }

    func feed() async throws { try await queue.append(try await stores.ledger.feedJobs(limit: 1_000, deadline: .seconds(600))) }

    /// Feeds everything that waits, also what is not due for a while.
    func feedAll() async throws {
        try await stores.pool.execute("UPDATE backfill_jobs SET retry_at = now() WHERE state = 'waiting'")
        try await feed()
    }

    // MARK: What came of it

    func job(_ account: TestAccount) async throws -> BackfillJob {
        guard let job = try await stores.ledger.job(account.did) else { throw TestSupportError("no job of \(account.did)") }
        return job
    }

    /// Returns once the accounts' jobs are in a state.
    func until(_ accounts: TestAccount..., are state: BackfillJob.State) async throws {
        try await changes.until {
            for account in accounts where try await job(account).state != state { return false }
            return true
        }
    }

    /// Returns once so many entries stand in the queue or are under way. Nothing in Redis tells that; the suite's time limit bounds it.
    func untilQueued(_ count: Int) async throws {
        while try await queue.length() != count { try Task.checkCancellation() }
    }

    /// What stands in the backfill stream of an account, in its order.
    func entries(_ account: TestAccount) async throws -> [SnapshotEntry] {
        let shard = snapshots.shards.shard(of: account.did)
        return try await snapshots.read(shard, after: .zero, count: 1_000).map {
            guard case .entry(let entry) = $0.content else { throw TestSupportError("undecodable: \($0.content)") }
            return entry
        }.filter { $0.did == account.did }
    }

    func number(_ sql: String) async throws -> Int64 { try await stores.pool.query(sql)[0].value(0) }
}
