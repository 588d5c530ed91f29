import Broker
import Events
import Ledger
import Logging
import PostgresClient
import RedisClient

/// A process' connections, and what Weir means by them.
struct FleetConnections: Sendable {
    let name: WorkerID
    let redis: RedisClient
    let pool: PostgresPool
    let ledger: Ledger
    let keys: StreamKeys
    let seams: FaultSeams

    /// Connects to nothing yet: both clients do when they are first used.
    ///
    /// - Parameter seams: for the roles, and in what the ledger does for them.
    init(_ configuration: FleetConfiguration, role: String, seams: FaultSeams = .off, log: Logger) throws {
        name = ProcessName.make(role: role)
        var redis = try Self.redis(configuration)
        redis.clientName = name.description
        self.redis = RedisClient(redis, logger: log)
        pool = try Self.pool(configuration, name: name, log: log)
        self.seams = seams
        ledger = Ledger(pool: pool, schema: configuration.postgresSchema, seams: seams)
        keys = StreamKeys(prefix: configuration.redisPrefix)
    }

    func workStreams(_ shards: ShardMap) -> WorkStreams { WorkStreams(redis: redis, keys: keys, shards: shards) }

    var jobQueue: JobQueue { JobQueue(redis: redis, keys: keys) }

    func snapshotStreams(_ shards: ShardMap) -> SnapshotStreams { SnapshotStreams(redis: redis, keys: keys, shards: shards) }

    var outlets: OutletStreams { OutletStreams(redis: redis, keys: keys) }

    static func redis(_ configuration: FleetConfiguration) throws -> RedisConfiguration {
        guard let url = configuration.redisURL else { throw missing("redis.url", configuration) }
        do {
            return try RedisConfiguration(url: url)
        } catch {
            throw ConfigurationError(problems: [configuration.problem("redis.url", error.message)])
        }
    }

    static func pool(_ configuration: FleetConfiguration, name: WorkerID, log: Logger) throws -> PostgresPool {
        guard let url = configuration.postgresURL else { throw missing("postgres.url", configuration) }
        do {
            var postgres = try PostgresConfiguration(url: url, applicationName: name.description)
            postgres.searchPath = [configuration.postgresSchema]
            // The server gives up what a stopped process holds before its lease can be taken over.
            postgres.idleInTransactionTimeout = configuration.leaseTTL * 0.8
            var options = PostgresPool.Options()
            options.connectionsMax = configuration.postgresConnections
            return PostgresPool(configuration: postgres, options: options, logger: log)
        } catch {
            throw ConfigurationError(problems: [configuration.problem("postgres.url", error.message)])
        }
    }

    private static func missing(_ path: String, _ configuration: FleetConfiguration) -> ConfigurationError {
        ConfigurationError(problems: [configuration.problem(path, "an address is needed; only weir up starts a server of its own")])
    }
}
