import Events

/// The statements about a sink's table and the cursors beside it, for one table: files of the folder `SQL`, embedded.
struct TableSQL: Sendable {
    /// A script that makes what is missing.
    let create: String
    let lockCursor: String
    let moveCursor: String
    let appendRows: String
    let rewindRows: String
    let removeRow: String
    let upsertRows: String
    let deleteRows: String

    /// Beside the table, shared by all sinks into its schema.
    static let cursors = "weir_sink_cursors"

    init(_ table: TableName, _ mode: TableMode) {
        func text(_ bytes: [UInt8]) -> String {
            String(decoding: bytes, as: UTF8.self).replacing(":table", with: table.description)
                .replacing(":cursors", with: table.qualified(Self.cursors))
        }
        let schema = table.schema.map { "CREATE SCHEMA IF NOT EXISTS \"\($0)\";\n" } ?? ""
        let rows = mode == .append ? PackageResources.sink_append_table_sql : PackageResources.sink_upsert_table_sql
        create = schema + text(PackageResources.sink_cursor_table_sql) + text(rows)
        lockCursor = text(PackageResources.sink_lock_cursor_sql)
        moveCursor = text(PackageResources.sink_move_cursor_sql)
        appendRows = text(PackageResources.sink_append_rows_sql)
        rewindRows = text(PackageResources.sink_rewind_rows_sql)
        removeRow = text(PackageResources.sink_remove_row_sql)
        upsertRows = text(PackageResources.sink_upsert_rows_sql)
        deleteRows = text(PackageResources.sink_delete_rows_sql)
    }
}
