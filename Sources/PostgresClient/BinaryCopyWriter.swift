/// Builds the input of `COPY … FROM STDIN (FORMAT binary)`, in chunks.
///
/// A row is ``beginRow()``, then one call for each column in the order of the COPY's column list. Shape: `PGCOPY` signature, rows, trailer
/// (PostgreSQL 15 documentation, COPY, "Binary Format"). A row with more or fewer values than `columnCount` makes the server refuse the COPY.
public struct BinaryCopyWriter: Sendable {
    public let columnCount: Int
    public private(set) var rowCount = 0
    /// Bytes of the chunks that are closed.
    public private(set) var byteCount = 0
    private let chunkBytes: Int
    private var full: [[UInt8]] = []
    private var open: BinaryValues

    /// `columnCount`: 1 to 1600. `chunkBytes`: the size at which a chunk is closed, between two rows.
    public init(columnCount: Int, chunkBytes: Int = 65_536) {
        precondition((1...1600).contains(columnCount) && chunkBytes > 0, "COPY of \(columnCount) columns in chunks of \(chunkBytes) bytes")
        self.columnCount = columnCount
        self.chunkBytes = chunkBytes
        open = BinaryValues(reserving: chunkBytes + 4096)
        open.bytes.append(contentsOf: "PGCOPY\n".utf8)
        open.bytes.append(contentsOf: [0xff, 0x0d, 0x0a, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    }

    public mutating func beginRow() {
        if open.count >= chunkBytes {
            full.append(open.bytes)
            byteCount += open.count
            open = BinaryValues(reserving: chunkBytes + 4096)
        }
        rowCount += 1
        open.bytes.appendBigEndian(Int16(columnCount))
    }

    public mutating func null() { open.null() }

    /// Nil is null.
    @specialized(where Value == Int64)
    @specialized(where Value == Int32)
    @specialized(where Value == Bool)
    @specialized(where Value == PostgresTimestamp)
    @specialized(where Value == PostgresDate)
    public mutating func value<Value: PostgresValue>(_ value: Value?) { open.value(value) }
    public mutating func value(_ value: String?) { open.text(value) }

    public mutating func int16(_ value: Int16?) { self.value(value) }
    public mutating func int32(_ value: Int32?) { self.value(value) }
    public mutating func int64(_ value: Int64?) { self.value(value) }
    public mutating func bool(_ value: Bool?) { self.value(value) }
    public mutating func double(_ value: Double?) { self.value(value) }
    public mutating func text(_ value: String?) { open.text(value) }
    public mutating func bytea(_ value: [UInt8]?) { open.bytea(value) }
    public mutating func timestamp(_ value: PostgresTimestamp?) { self.value(value) }
    public mutating func date(_ value: PostgresDate?) { self.value(value) }

    /// Values of the row that were encoded before, those between two of their counts.
    public mutating func values(_ values: BinaryValues, in range: Range<Int>) { open.bytes.append(contentsOf: values.bytes[range]) }

    /// The chunks with the trailer behind them. The writer itself stays as it is.
    public func chunks() -> [[UInt8]] {
        var last = open.bytes
        last.appendBigEndian(Int16(-1))
        return full + [last]
    }
}
