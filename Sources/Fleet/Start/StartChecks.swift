import Events
import Ledger
import Logging

/// What must be true before services start.
struct StartChecks: Sendable {
    let ledger: Ledger
    let log: Logger
    /// How long Postgres may take to be there: compose and supervisors start things in any order.
    var patience: Duration = .seconds(60)

    /// The number of shards, as the ledger has it.
    ///
    /// - Throws: `notMigrated`, `unavailable` after `patience`, or a problem of configuration where `shards` was set and differs.
    func shards(_ configuration: FleetConfiguration) async throws -> ShardMap {
        let map = try await shardCount()
        if let entry = configuration.values["shards"], entry.origin != .standard, configuration.shards != map.count {
            throw ConfigurationError(problems: [
                configuration.problem("shards", "the first migration fixed it at \(map.count), and keys would change shards: \(map.count) is allowed")
            ])
        }
        return map
    }

    private func shardCount() async throws -> ShardMap {
        let deadline = ContinuousClock.now + patience
        while true {
            do throws(LedgerError) {
                return try await ledger.shardCount()
            } catch {
                switch error.code {
                case .notMigrated:
                    throw FleetError(code: .notMigrated, message: "\(error.message); run `weir migrate` first")
                case .unavailable, .contention:
                    guard ContinuousClock.now < deadline else {
                        throw FleetError(code: .unavailable, message: "Postgres does not answer: \(error.message)")
                    }
                    log.warning("waiting for Postgres", metadata: ["error": "\(error)"])
                    try await Task.sleep(for: .seconds(1))
                default: throw error
                }
            }
        }
    }
}
