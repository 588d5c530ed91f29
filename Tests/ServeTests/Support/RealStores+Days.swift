import PostgresClient
import TestSupport

extension RealStores {
    /// As if all of the log had been written on the day before, which gets a partition of its own.
    func moveToYesterday() async throws {
        let today = "(clock_timestamp() AT TIME ZONE 'UTC')::date"
        let name = try await pool.query("SELECT 'run_events_' || to_char(\(today) - 1, 'YYYYMMDD')")[0].value(0, as: String.self)
        try await pool.execute(
            """
            CREATE TABLE \(name) (LIKE run_events INCLUDING ALL);
            WITH moved AS (DELETE FROM run_events WHERE day = \(today) RETURNING *) INSERT INTO \(name) SELECT * FROM moved;
            UPDATE \(name) SET day = day - 1;
            UPDATE run_days SET day = day - 1;
            UPDATE runs SET last_day = last_day - 1;
            DO $$ BEGIN EXECUTE format('ALTER TABLE run_events ATTACH PARTITION \(name) FOR VALUES FROM (%L) TO (%L)', \(today) - 1, \(today)); END $$
            """)
    }
}
