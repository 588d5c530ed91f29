import PostgresClient
import Simulator

/// What a consumer of the log ends with, key by key, beside what each simulated repository holds.
enum RepositoryComparison {
    /// The first differences, in words; empty where the latest record of each key is the repository's, nothing more and nothing less.
    ///
    /// - Parameter isWanted: which accounts are to be compared; those that are not active are not: nothing of them is delivered meanwhile.
    static func differences(
        _ pool: PostgresPool, _ simulator: SimulatorService, isWanted: (RepositorySnapshot) -> Bool = { _ in true }, most: Int = 12
    ) async throws -> [String] {
        let logged = try await logged(pool)
        let revs = try await revs(pool)
        var differences: [String] = []
        var strangers = Set(logged.keys)
        for try await repository in simulator.repositories() {
            strangers.remove(repository.did)
            guard repository.status == "active", isWanted(repository) else { continue }
            let records = logged[repository.did] ?? [:]
            if let rev = repository.rev, revs[repository.did]?.rev != rev || revs[repository.did]?.status != "active" {
                let known = revs[repository.did].map { "\($0.status) at \($0.rev)" } ?? "unknown"
                differences.append("\(repository.did): the fleet has it \(known), it is at \(rev)")
            }
            for (path, cid) in repository.records where records[path] != cid {
                differences.append("\(repository.did) \(path): \(records[path].map { "the log says \($0)" } ?? "not in the log")")
            }
            for path in records.keys where repository.records[path] == nil {
                differences.append("\(repository.did) \(path): in the log, and not in the repository")
            }
            if differences.count > most { break }
        }
        differences += strangers.prefix(3).map { "\($0): nobody of the network" }
        return Array(differences.prefix(most))
    }

    /// The CID of the latest record of each key that is not deleted, by DID.
    static func logged(_ pool: PostgresPool) async throws -> [String: [String: String]] {
        let rows = try await pool.query(
            """
            SELECT did, path, cid FROM (
                SELECT DISTINCT ON (e.did, e.collection, e.rkey) e.did, e.collection || '/' || e.rkey AS path, e.action, e.cid
                FROM weir.run_events e JOIN weir.runs r ON r.no = e.run
                WHERE r.kind = 'firehose' AND e.kind = 'record' ORDER BY e.did, e.collection, e.rkey, e.seq DESC
            ) latest WHERE action <> 'delete'
            """)
        var logged: [String: [String: String]] = [:]
        for row in rows { logged[try row.value(0), default: [:]][try row.value(1)] = try row.value(2, as: String.self) }
        return logged
    }

    private static func revs(_ pool: PostgresPool) async throws -> [String: (rev: String, status: String)] {
        var revs: [String: (String, String)] = [:]
        for row in try await pool.query("SELECT did, rev, status FROM weir.repositories") {
            revs[try row.value(0)] = (try row.value(1), try row.value(2))
        }
        return revs
    }

    /// Records that the log creates where they are, or changes or deletes where they are not: a consumer that keeps a table would fail at them.
    static func impossibleActions(_ pool: PostgresPool) async throws -> Int64 {
        try await FleetUnderTest.number(
            pool,
            """
            SELECT count(*) FROM (
                SELECT e.action, lag(e.action) OVER (PARTITION BY e.did, e.collection, e.rkey ORDER BY e.seq) AS before
                FROM weir.run_events e JOIN weir.runs r ON r.no = e.run WHERE r.kind = 'firehose' AND e.kind = 'record'
            ) a WHERE (action = 'create') <> (before IS NULL OR before = 'delete')
            """)
    }
}
