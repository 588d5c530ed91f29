import Events
public import Ledger
public import Logging
import PostgresClient

/// Brings the schema to the version of this program.
public enum Migration {
    /// Safe to run twice, and from several processes at once.
    ///
    /// - Parameter progress: told each step as it is done.
    /// - Throws: ``ConfigurationError``, or ``FleetError`` where Postgres does not answer within a minute or refuses.
    public static func run(_ configuration: FleetConfiguration, log: Logger, progress: @escaping @Sendable (Ledger.MigrationStep) -> Void)
        async throws
    {
        let pool = try FleetConnections.pool(configuration, name: ProcessName.make(role: "migrate"), log: log)
        let ledger = Ledger(pool: pool, schema: configuration.postgresSchema)
        do {
            try await migrate(ledger, configuration, log, progress)
        } catch {
            await pool.close()
            throw error
        }
        await pool.close()
    }

    private static func migrate(
        _ ledger: Ledger, _ configuration: FleetConfiguration, _ log: Logger, _ progress: @escaping @Sendable (Ledger.MigrationStep) -> Void
    ) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while true {
            do throws(LedgerError) {
                return try await ledger.migrate(shards: ShardMap(count: configuration.shards), progress: progress)
            } catch {
                guard error.code == .unavailable || error.code == .contention else { throw FleetError(code: .refused, message: "\(error)") }
                guard ContinuousClock.now < deadline else {
                    throw FleetError(code: .unavailable, message: "Postgres does not answer: \(error.message)")
                }
                log.warning("waiting for Postgres", metadata: ["error": "\(error)"])
                try await Task.sleep(for: .seconds(1))
            }
        }
    }
}
