import Foundation
import PostgresClient
import Simulator

/// What the fleet says of labels, beside what simulated labelers have said.
enum LabelComparison {
    /// A label that stands, as both sides tell of it.
    struct Standing: Hashable, Sendable, CustomStringConvertible {
        var src: String
        var uri: String
        var cid: String
        var val: String
        var cts: String
        var exp: String

        init(_ label: SimulatedLabel) {
            (src, uri, cid, val, cts, exp) = (label.src, label.uri, label.cid ?? "", label.val, label.cts, label.exp ?? "")
        }

        init(_ row: PostgresRow) throws {
            (src, uri, cid) = (try row.value("src"), try row.value("uri"), try row.value("cid"))
            (val, cts, exp) = (try row.value("val"), try row.value("cts"), try row.value("exp"))
        }

        var description: String { "\(src) \(val) of \(uri) \(cid) at \(cts) until \(exp)" }
    }

    /// A member of the log's events, and the log's latest statement of each label.
    private static let statements = """
        SELECT e.seq, r.id, b ->> 'src' AS src, b ->> 'uri' AS uri, coalesce(b ->> 'cid', '') AS cid, b ->> 'val' AS val, b ->> 'cts' AS cts,
            coalesce(b ->> 'exp', '') AS exp, (b ->> 'neg')::boolean AS neg
        FROM weir.run_events e JOIN weir.runs r ON r.no = e.run CROSS JOIN LATERAL (SELECT e.body::jsonb AS b) body
        WHERE r.kind = 'labels' AND e.kind = 'label'
        """

    /// Statements in the log.
    static func logged(_ pool: PostgresPool) async throws -> Int64 {
        try await FleetUnderTest.number(
            pool, "SELECT count(*) FROM weir.run_events e JOIN weir.runs r ON r.no = e.run WHERE r.kind = 'labels' AND e.kind = 'label'")
    }

    static func withdrawals(_ pool: PostgresPool) async throws -> Int64 {
        try await FleetUnderTest.number(pool, "SELECT count(*) FROM (\(statements)) s WHERE neg")
    }

    /// The first differences, in words.
    static func differences(_ pool: PostgresPool, _ simulator: SimulatorService) async throws -> [String] {
        let said = Set(await simulator.currentLabels(expired: true).map { Standing($0) })
        var differences: [String] = []
        let latest = """
            SELECT * FROM (SELECT DISTINCT ON (src, uri, cid, val) * FROM (\(statements)) s ORDER BY src, uri, cid, val, seq DESC) l WHERE NOT neg
            """
        for (name, sql) in [("log", latest), ("table", "SELECT src, uri, cid, val, cts, exp FROM weir.labels WHERE NOT neg")] {
            let known = Set(try await pool.query(sql).map { try Standing($0) })
            differences += said.subtracting(known).prefix(3).map { "not in the \(name): \($0)" }
            differences += known.subtracting(said).prefix(3).map { "in the \(name), and said by nobody: \($0)" }
        }
        // Labelers stamp each statement later than the one before.
        let turned = try await FleetUnderTest.number(
            pool,
            """
            SELECT count(*) FROM (SELECT cts, lag(cts) OVER (PARTITION BY id, src, uri, cid, val ORDER BY seq) AS before FROM (\(statements)) s) o
            WHERE cts <= before
            """)
        if turned > 0 { differences.append("\(turned) statements stand in the log twice, or behind a later one") }
        return differences
    }
}
