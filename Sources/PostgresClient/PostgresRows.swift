/// The whole answer to one statement, copied out of libpq: rows in binary format, or the number of rows that it changed.
///
/// It is held in memory at once, so a statement that could return without bound needs a LIMIT.
public struct PostgresRows: RandomAccessCollection, Sendable {
    /// Names and types of the columns; shared by all rows.
    struct Columns: Sendable {
        var names: [String] = []
        var typeIDs: [UInt32] = []
    }

    let columns: Columns
    /// All values one behind the other.
    let storage: [UInt8]
    /// Start and length of each value, row by row; a negative length is null.
    let places: [(start: Int, length: Int32)]
    public let count: Int
    /// Of INSERT, UPDATE, DELETE, MERGE, COPY and SELECT, as the server tells it; 0 for other commands.
    public let affectedRows: Int

    init(columns: Columns, storage: [UInt8], places: [(start: Int, length: Int32)], rowCount: Int, affectedRows: Int) {
        self.columns = columns
        self.storage = storage
        self.places = places
        self.count = rowCount
        self.affectedRows = affectedRows
    }

    public var columnNames: [String] { columns.names }
    public var startIndex: Int { 0 }
    public var endIndex: Int { count }

    public subscript(position: Int) -> PostgresRow {
        precondition(position >= 0 && position < count, "row \(position) of \(count)")
        return PostgresRow(rows: self, row: position)
    }
}
