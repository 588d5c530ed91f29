public import PostgresClient

/// Wakes a test when tables of its schema have changed, so that it looks again then and not before.
///
/// Triggers of the schema notify at the commit of whatever changes one of the tables; they go with the schema. Each wait has a connection of its own.
public struct TableChanges: Sendable {
    private let configuration: PostgresConfiguration
    private let channel: String

    /// - Parameter tables: names in the schema, which are there already.
    public init(of tables: [String], schema: String, pool: PostgresPool) async throws {
        configuration = try await SharedServers.postgres(schema: schema, name: "\(schema)-changes")
        channel = "changes_\(schema)"
        try await pool.execute(
            """
            CREATE FUNCTION tell_changes() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN PERFORM pg_notify('\(channel)', ''); RETURN NULL; END $$
            """)
        for table in tables {
            try await pool.execute(
                "CREATE TRIGGER tell_changes AFTER INSERT OR UPDATE OR DELETE ON \(table) FOR EACH STATEMENT EXECUTE FUNCTION tell_changes()")
        }
    }

    /// Returns once the condition is met: it is looked at now, and behind each commit that changed one of the tables. The suite's time limit bounds it.
    public func until(_ condition: () async throws -> Bool) async throws {
        let connection = try await PostgresConnection.connect(configuration)
        do {
            let changes = try await connection.notifications(on: [channel])
            if try await !condition() {
                for try await _ in changes { if try await condition() { break } }
                try Task.checkCancellation()
            }
        } catch {
            await connection.close()
            throw error
        }
        await connection.close()
    }
}
