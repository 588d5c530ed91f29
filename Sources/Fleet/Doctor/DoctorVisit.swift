import Broker
public import Events
import Ledger
public import Logging
import PostgresClient
import RedisClient

/// Looks at a fleet's servers and says what is wrong. Changes nothing.
public enum DoctorVisit {
    /// - Parameter run: one to look at closely.
    /// - Throws: ``ConfigurationError`` only: servers that do not answer are findings.
    public static func look(
        _ configuration: FleetConfiguration, run: RunID?, limits: DoctorLimits = DoctorLimits(), log: Logger
    ) async throws -> DoctorSnapshot {
        let pool = try FleetConnections.pool(configuration, name: ProcessName.make(role: "doctor"), log: log)
        let redis = RedisClient(try FleetConnections.redis(configuration), logger: log)
        let ledger = Ledger(pool: pool, schema: configuration.postgresSchema)
        var snapshot = DoctorSnapshot(run: run)
        var shards = ShardMap(count: 1)
        do throws(LedgerError) {
            shards = try await ledger.shardCount()
            snapshot.fleet = try await ledger.status()
            snapshot.diagnosis = try await ledger.diagnosis(run: run, stalledAfter: limits.runStalledAfter)
        } catch {
            snapshot.ledgerError = error
        }
        do throws(BrokerError) {
            let streams = WorkStreams(redis: redis, keys: StreamKeys(prefix: configuration.redisPrefix), shards: shards)
            snapshot.redis = try await streams.health(outletOf: run)
        } catch {
            snapshot.redisError = error.message
        }
        await redis.shutDown()
        await pool.close()
        return snapshot
    }

    /// Lets any publisher take a (run, sink) again.
    ///
    /// - Returns: how many events wait; nil where there is no such run or sink.
    public static func release(_ configuration: FleetConfiguration, run: RunID, sink: String, log: Logger) async throws -> Int64? {
        let pool = try FleetConnections.pool(configuration, name: ProcessName.make(role: "release"), log: log)
        do {
            let released = try await Ledger(pool: pool, schema: configuration.postgresSchema).releaseOutbox(run: run, sink: sink)
            await pool.close()
            return released.map { max(0, $0.tailSeq - $0.nextSeq + 1) }
        } catch {
            await pool.close()
            throw error
        }
    }
}
