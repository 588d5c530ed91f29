/// Values as a row of a binary COPY holds them, one behind the other, each behind its length: for columns that are known before those in front of them.
///
/// Bounded by its caller. Does not know where a row begins or ends: ``count`` is what to cut it by.
public struct BinaryValues: Sendable {
    var bytes: [UInt8]

    public init(reserving capacity: Int = 0) {
        bytes = []
        bytes.reserveCapacity(capacity)
    }

    /// Bytes written so far.
    public var count: Int { bytes.count }

    public mutating func null() { bytes.appendBigEndian(Int32(-1)) }

    /// Nil is null.
    @specialized(where Value == Int64)
    @specialized(where Value == Int32)
    @specialized(where Value == Bool)
    @specialized(where Value == PostgresTimestamp)
    @specialized(where Value == PostgresDate)
    public mutating func value<Value: PostgresValue>(_ value: Value?) {
        guard let value else { return null() }
        let place = bytes.count
        bytes.appendBigEndian(Int32(0))
        value.appendPostgresBinary(to: &bytes)
        bytes.overwriteBigEndian(Int32(clamping: bytes.count - place - 4), at: place)
    }

    /// Nil is null. As the general `value`, with the length known beforehand.
    public mutating func text(_ value: String?) {
        guard var value else { return null() }
        value.withUTF8 { text in
            bytes.appendBigEndian(Int32(clamping: text.count))
            bytes.append(contentsOf: text)
        }
    }

    /// Nil is null.
    public mutating func bytea(_ value: [UInt8]?) {
        guard let value else { return null() }
        bytes.appendBigEndian(Int32(clamping: value.count))
        bytes.append(contentsOf: value)
    }
}
