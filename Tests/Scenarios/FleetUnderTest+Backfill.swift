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
        if !differences.isEmpty { differences += try await story(of: differences) }
        try require(differences.isEmpty, differences.joined(separator: "\n"))
    }

    /// What is known of the first repository that a difference names: its row, its job, its last events.
    private func story(of differences: some Sequence<String>) async throws -> [String] {
        guard let did = differences.lazy.compactMap({ $0.firstMatch(of: /did:plc:[a-z2-7]+/).map { String($0.output) } }).first else { return [] }
        let rows = try await pool.query(
            """
            SELECT 'repository ' || status || ' ' || reason || ' at ' || rev FROM weir.repositories WHERE did = $1
            UNION ALL SELECT 'job ' || state || ' ' || reason || ' attempt ' || attempt || ' failures ' || failures || ' again ' || again || ' ' || error
                FROM weir.backfill_jobs WHERE did = $1
            UNION ALL SELECT 'snapshot attempt ' || attempt || ' open ' || is_open || ' n ' || next_n FROM weir.snapshots WHERE did = $1
            UNION ALL (SELECT 'event ' || seq || ' ' || kind || ' ' || action || ' ' || rev || ' ' || collection || '/' || rkey || ' live ' || live
                || CASE WHEN kind IN ('sync', 'account') THEN body ELSE '' END
                FROM weir.run_events WHERE did = $1 ORDER BY seq DESC LIMIT 24)
            """, [.text(did)])
        return try rows.map { "\(did): " + (try $0.value(0, as: String.self)) }
    }
}
