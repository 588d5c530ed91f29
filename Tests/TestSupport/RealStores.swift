public import Broker
public import Events
public import Ledger
public import PostgresClient
public import RedisClient

/// A ledger in a schema of its own and outlets under a prefix of their own, on the shared servers; both are gone behind the test.
public struct RealStores: Sendable {
    public let ledger: Ledger
    public let outlet: OutletStreams
    public let redis: RedisClient
    public let keys: StreamKeys
    public let pool: PostgresPool

    public static func with(shards: Int = 4, _ body: (RealStores) async throws -> Void) async throws {
        let schema = RandomName.schema()
        let pool = try await SharedServers.pool(schema: schema, name: schema)
        let redis = RedisClient(try await SharedServers.redis())
        let keys = StreamKeys(prefix: RandomName.prefix())
        let stores = RealStores(
            ledger: Ledger(pool: pool, schema: schema), outlet: OutletStreams(redis: redis, keys: keys), redis: redis, keys: keys, pool: pool)
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
}
