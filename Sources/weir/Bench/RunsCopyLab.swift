import Events
import Fleet
import Logging
import PostgresClient
import Synchronization

/// What Postgres takes of rows like those of applications' events by COPY alone, through the same client.
final class RunsCopyLab: Sendable {
    private let pool: PostgresPool
    private let connections: Int
    private let seq = Mutex<Int64>(0)

    /// Makes a table with the log's partitions and index, in the schema of the fleet.
    static func make(_ configuration: FleetConfiguration, connections: Int, log: Logger) async throws -> RunsCopyLab {
        var postgres = try PostgresConfiguration(url: configuration.postgresURL ?? "", applicationName: "weir bench")
        postgres.searchPath = [configuration.postgresSchema]
        var options = PostgresPool.Options()
        options.connectionsMax = connections
        let pool = PostgresPool(configuration: postgres, options: options, logger: log)
        try await pool.execute(
            """
            CREATE TABLE bench_twin (LIKE run_events INCLUDING ALL) PARTITION BY RANGE (day);
            CREATE TABLE bench_twin_day PARTITION OF bench_twin FOR VALUES FROM ('2026-01-01') TO ('2026-01-02');
            CREATE TABLE bench_twin_default PARTITION OF bench_twin DEFAULT
            """)
        return RunsCopyLab(pool: pool, connections: connections)
    }

    private init(pool: PostgresPool, connections: Int) {
        self.pool = pool
        self.connections = connections
    }

    func end() async { await pool.close() }

    /// Rows a second of so many transactions over all connections.
    func measure(batches: Int, rows: Int) async throws -> Double {
        let each = max(1, batches / connections)
        let first = seq.withLock { seq in
            defer { seq += Int64(each * rows) }
            return seq + 1
        }
        let inputs = (0..<connections).map { run in (0..<each).map { encoded(run: run, first: first + Int64($0 * rows), rows: rows) } }
        let clock = ContinuousClock()
        let begun = clock.now
        try await withThrowingTaskGroup { group in
            for run in 0..<connections {
                group.addTask {
                    for input in inputs[run] {
                        try await self.pool.transaction { connection in
                            let copied = try await connection.copyIn(
                                "COPY bench_twin (run, seq, day, kind, did, rev, collection, rkey, action, cid, live, host, time, mark, logged_at, body) "
                                    + "FROM STDIN (FORMAT binary)", input)
                            guard copied == input.rowCount else { throw Failure("\(copied) rows of \(input.rowCount) were copied") }
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        return Double(connections * each * rows) / ((clock.now - begun) / .seconds(1))
    }

    private func encoded(run: Int, first: Int64, rows: Int) -> BinaryCopyWriter {
        var copy = BinaryCopyWriter(columnCount: 16)
        for index in 0..<rows {
            let seq = first + Int64(index)
            copy.beginRow()
            copy.value(Int32(run))
            copy.value(seq)
            copy.value(PostgresDate(daysSince1970: 20_454))
            copy.value("event")
            copy.value("")
            copy.value("")
            copy.value("order.changed")
            for _ in 0..<3 { copy.value("") }
            copy.value(true)
            for _ in 0..<3 { copy.value("") }
            copy.value(PostgresTimestamp(microsecondsSince1970: 1_767_225_600_000_000 + seq))
            copy.bytea(RunsTraffic.payload(run: run, number: Int(seq)))
        }
        return copy
    }
}
