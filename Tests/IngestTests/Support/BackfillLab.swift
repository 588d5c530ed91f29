import Broker
import Events
import Flow
import Ledger
import PostgresClient
import RedisClient
import ServiceLifecycle
import Synchronization
import TestSupport

@testable import Ingest

/// Replicas of the backfill's ingester on a real Redis and a real Postgres, against scripted lists. No worker runs: a test says itself what comes of jobs.
struct BackfillLab: Sendable {
    let ledger: Ledger
    let pool: PostgresPool
    let queue: JobQueue
    let redis: RedisClient
    let shards = ShardMap(count: 4)
    var configuration: BackfillIngesterConfiguration

    static let host = "pds.example"

    /// Quick intervals: tests wait for states, and these say how soon they come. A lease outlives every test.
    static func configuration(_ scope: RepositoryScope) -> BackfillIngesterConfiguration {
        var configuration = BackfillIngesterConfiguration(scope: scope)
        configuration.signal = "app.bsky.actor.profile"
        configuration.pageEntries = 10
        configuration.roomPoll = .milliseconds(20)
        configuration.gapPoll = .milliseconds(50)
        configuration.progressInterval = .milliseconds(20)
        configuration.poll = .milliseconds(10)
        configuration.fileInterval = .milliseconds(20)
        configuration.retry.base = .milliseconds(10)
        configuration.retry.cap = .milliseconds(100)
        configuration.beginAgain.base = .milliseconds(100)
        configuration.beginAgain.cap = .milliseconds(200)
        configuration.unsupportedRetry = .milliseconds(100)
        configuration.reportInterval = .milliseconds(100)
        configuration.leaseTimeToLive = .seconds(300)
        configuration.leaseRenewal = .milliseconds(50)
        return configuration
    }

    static func run(
        _ scope: RepositoryScope = .full, redisURL: String? = nil, change: (inout BackfillIngesterConfiguration) -> Void = { _ in },
        _ body: (BackfillLab) async throws -> Void
    ) async throws {
        let schema = RandomName.schema()
        let pool = try await SharedServers.pool(schema: schema, name: schema)
        let redis = RedisClient(try await SharedServers.redis(url: redisURL), logger: SharedServers.quietLogger)
        var configuration = configuration(scope)
        change(&configuration)
        let lab = BackfillLab(
            ledger: Ledger(pool: pool, schema: schema), pool: pool, queue: JobQueue(redis: redis, keys: StreamKeys(prefix: RandomName.prefix())),
            redis: redis, configuration: configuration)
        do {
            try await lab.ledger.migrate(shards: lab.shards) { _ in }
            try await body(lab)
            try await lab.end(schema)
        } catch {
            try? await lab.end(schema)
            throw error
        }
    }

    private func end(_ schema: String) async throws {
        _ = try await redis.send(RedisCommand("DEL", .string(queue.keys.repoBackfill)))
        await redis.shutDown()
        try await pool.execute("DROP SCHEMA \(schema) CASCADE")
        await pool.close()
    }

    func ingester(_ lister: ScriptedLister?, _ worker: String = "a", seams: FaultSeams = .off) -> BackfillIngester {
        BackfillIngester(
            configuration: configuration, hosts: lister.map { [BackfillHost(name: Self.host, lister: $0)] } ?? [], ledger: ledger, queue: queue,
            shards: shards, worker: WorkerID(worker), logger: SharedServers.quietLogger, seams: seams)
    }

    /// Runs a replica while `body` runs, then ends it as a kill would: by cancellation.
    func withReplica(
        _ lister: ScriptedLister?, _ worker: String = "a", seams: FaultSeams = .off, _ body: () async throws -> Void
    ) async throws {
        let ingester = ingester(lister, worker, seams: seams)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await ingester.run() }
            try await body()
            group.cancelAll()
        }
    }

    /// Runs a replica that is cancelled when it reaches a point for the `count`th time.
    func killReplica(_ lister: ScriptedLister?, _ worker: String = "a", at point: CrashPoint, count: Int) async throws {
        let reached = Doorbell()
        let times = Count()
        let seams = FaultSeams {
            if $0 == point, times.next() == count { reached.ring() }
        }
        try await withReplica(lister, worker, seams: seams) { await reached.wait() }
        // As after a death: nobody gives leases back.
        try await forgetOwners()
    }

    private final class Count: Sendable {
        private let value = Mutex(0)
        func next() -> Int {
            value.withLock { value in
                value += 1
                return value
            }
        }
    }

    func forgetOwners() async throws { try await pool.execute("UPDATE upstreams SET owner = NULL, expires_at = '-infinity'") }

    /// Waits for a condition; the suite's time limit is its bound.
    func until(_ condition: () async throws -> Bool) async throws {
        while try await !condition() {
            try Task.checkCancellation()
            _ = try await number("SELECT 1")
        }
    }

    func number(_ sql: String) async throws -> Int64 { try await pool.query(sql)[0].value(0) }
    func text(_ sql: String) async throws -> String { try await pool.query(sql)[0].value(0) }

    func dids(_ condition: String = "true") async throws -> Set<String> {
        Set(try await pool.query("SELECT did FROM backfill_jobs WHERE \(condition)").map { try $0.value(0, as: String.self) })
    }

    var source: SourceRow {
        get async throws { try await ledger.status().backfill.sources.first { $0.host == Self.host }.map(SourceRow.init) ?? SourceRow(nil) }
    }

    /// The row of the enumeration; what it says before it is there is nothing.
    struct SourceRow {
        let row: BackfillStatus.Source?
        init(_ row: BackfillStatus.Source?) { self.row = row }
        var state: BackfillSource.State? { row?.state }
        var pass: Int { row?.pass ?? 0 }
        var restarts: Int { row?.restarts ?? 0 }
        var listed: Int64 { row?.listed ?? 0 }
        var error: String { row?.error ?? "" }
    }

    func upstream(_ host: String = host) async throws -> FleetStatus.Upstream? {
        try await ledger.status().upstreams.first { $0.name == UpstreamName(kind: .backfill, host: host) }
    }

    /// What workers would do: every job is done, each with two records.
    func finishJobs(_ condition: String = "true") async throws {
        try await pool.execute(
            """
            WITH done AS (
                UPDATE backfill_jobs SET state = 'done' WHERE state NOT IN ('done', 'refused', 'dead') AND \(condition) RETURNING source, shard
            )
            INSERT INTO backfill_progress AS p (source, shard, done, records, bytes) SELECT source, shard, count(*), 2 * count(*), 900 * count(*)
            FROM done GROUP BY source, shard ON CONFLICT (source, shard) DO UPDATE SET done = p.done + excluded.done,
                records = p.records + excluded.records, bytes = p.bytes + excluded.bytes
            """)
    }

    func events(_ run: String) async throws -> [LogEvent] {
        guard let run = RunID(run) else { throw TestSupportError("\(run) is no run") }
        return try await ledger.events(run: run, after: 0, limit: 10_000, maxBytes: 10 << 20)
    }

    /// All that stands in the stream.
    func queued() async throws -> [String] { try await queue.standing(after: .zero, count: 100_000).map(\.did) }
}
