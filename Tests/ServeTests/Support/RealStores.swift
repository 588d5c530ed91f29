import Broker
import Events
import Ledger
import Logging
import PostgresClient
import RedisClient
import TestSupport

/// A ledger in a schema of its own and outlets under a prefix of their own, on real servers.
struct RealStores {
    let ledger: Ledger
    let outlet: OutletStreams
    private let pool: PostgresPool
    private let redis: RedisClient

    static func with(shards: Int = 4, _ body: (RealStores) async throws -> Void) async throws {
        let schema = RandomName.schema()
        var settings = try PostgresConfiguration(url: try await SharedServers.postgresURL(), applicationName: schema)
        settings.searchPath = [schema]
        settings.connectTimeout = .seconds(60)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        var options = PostgresPool.Options()
        options.acquireTimeout = .seconds(60)
        let pool = PostgresPool(configuration: settings, options: options, logger: logger)
        var redisSettings = try RedisConfiguration(url: try await SharedServers.redisURL())
        redisSettings.connectTimeout = .seconds(60)
        redisSettings.commandTimeout = .seconds(60)
        let redis = RedisClient(redisSettings)
        let stores = RealStores(
            ledger: Ledger(pool: pool, schema: schema), outlet: OutletStreams(redis: redis, keys: StreamKeys(prefix: RandomName.prefix())),
            pool: pool, redis: redis)
        do {
            try await stores.ledger.migrate(shards: ShardMap(count: shards)) { _ in }
            try await body(stores)
            try await stores.end(shards, schema)
        } catch {
            try? await stores.end(shards, schema)
            throw error
        }
    }

    private func end(_ shards: Int, _ schema: String) async throws {
        for shard in 0..<shards { try await outlet.delete(run: .firehose(shard)) }
        _ = try await pool.query("DROP SCHEMA IF EXISTS \(schema) CASCADE")
        await redis.shutDown()
        await pool.close()
    }

    /// What a publisher does, until nothing is pending.
    func publishAll(keep: Int) async throws {
        while true {
            let claims = try await ledger.claimOutbox(sink: "outlet", publisher: WorkerID("test"), ttl: .seconds(600), limit: 10)
            if claims.isEmpty { return }
            for claim in claims {
                let events = try await ledger.events(run: claim.run, after: claim.nextSeq - 1, limit: 1000, maxBytes: 1 << 20)
                _ = try await outlet.publish(events, run: claim.run, lastSeq: claim.lastSeq, keep: keep)
                _ = try await ledger.markPublished([(claim, (events.last?.seq ?? 0) + 1)])
            }
        }
    }
}
