import PostgresClient
import Simulator
import TestSupport

/// What scenarios with tracked repositories ask of a fleet.
extension FleetUnderTest {
    /// Of a fleet that wants every repository of the network.
    static let tracksEverything = [
        "WEIR_REPOS_SCOPE": "full", "WEIR_ALLOW_PRIVATE_HOSTS": "true", "WEIR_FETCH_HOST_RATE": "1000",
    ]

    /// How many repositories have this state, as the owners of shards keep it.
    func repositories(_ status: String) async throws -> Int64 {
        try await Self.number(pool, "SELECT count(*) FROM weir.repositories WHERE status = '\(status)'")
    }

    func jobs(_ condition: String) async throws -> Int64 {
        try await Self.number(pool, "SELECT count(*) FROM weir.backfill_jobs WHERE \(condition)")
    }

    /// Stops production, waits until nothing is left to do, and compares what a consumer of the log has with what every repository holds.
    func settleRepositories(within limit: Duration = .seconds(120), isWanted: @escaping @Sendable (RepositorySnapshot) -> Bool = { _ in true })
        async throws
    {
        try await simulator.set(EventRate.paused)
        try await waitUntil("the simulator holds nothing back") { _ in try await simulator.status().quiescent }
        for relay in simulator.addresses.relays.indices { try await waitUntilReadThrough(relay) }
        var timeout: (any Error)?
        do {
            try await waitUntil("no snapshot is wanted and nothing is held", within: limit) { pool in
                let open = try await jobs("state NOT IN ('done', 'refused', 'dead')")
                let held = try await Self.number(pool, "SELECT count(*) FROM weir.held")
                guard open == 0, held == 0 else { return false }
                return try await RepositoryComparison.differences(pool, simulator, isWanted: isWanted, most: 1).isEmpty
            }
        } catch let failure as ScenarioFailure {
            timeout = failure
        }
        var differences = try await RepositoryComparison.differences(pool, simulator, isWanted: isWanted)
        if let timeout { differences.insert("\(timeout)", at: 0) }
        let impossible = try await RepositoryComparison.impossibleActions(pool)
        if impossible > 0 { differences.append("\(impossible) records are created twice, or changed or deleted where they are not") }
        if !differences.isEmpty {
            let open = try await pool.query(
                "SELECT did || ' ' || state || ' ' || reason || ' ' || attempt || ' ' || failures || ' ' || error FROM weir.backfill_jobs "
                    + "WHERE state NOT IN ('done', 'refused') ORDER BY did LIMIT 8")
            differences += try open.map { "job " + (try $0.value(0, as: String.self)) }
        }
        try require(differences.isEmpty, differences.joined(separator: "\n"))
    }
}
