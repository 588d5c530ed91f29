/// A Swift type that Postgres' binary format can carry, as a parameter, an element of an array, or a value of a row.
///
/// The conformances are this module's: `Bool`, `Int16`, `Int32`, `Int64`, `Double`, `String`, `[UInt8]` (bytea), ``PostgresTimestamp``,
/// ``PostgresDate``, ``PostgresUUID``.
public protocol PostgresValue: Sendable {
    /// What the value is called in errors.
    static var postgresName: String { get }
    static var postgresTypeID: UInt32 { get }
    static var postgresArrayTypeID: UInt32 { get }
    /// Appends the value in binary format, without its length.
    func appendPostgresBinary(to bytes: inout [UInt8])
    /// Reads a value in binary format; nil where the type or the length does not fit.
    static func fromPostgresBinary(_ bytes: ArraySlice<UInt8>, typeID: UInt32) -> Self?
}

extension [UInt8] {
    mutating func appendBigEndian(_ value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
    }

    mutating func overwriteBigEndian(_ value: Int32, at place: Int) {
        for byte in 0..<4 { self[place + byte] = UInt8(truncatingIfNeeded: value >> (24 - 8 * byte)) }
    }
}

extension ArraySlice<UInt8> {
    /// Nil where the slice is not as long as the integer.
    func bigEndian<Value: FixedWidthInteger>(_ type: Value.Type) -> Value? {
        guard count == Value.bitWidth / 8 else { return nil }
        return reduce(0) { $0 << 8 | Value(truncatingIfNeeded: $1) }
    }

    /// The integer of any width Postgres has, nil for another type or length.
    func integer(typeID: UInt32) -> Int64? {
        switch typeID {
        case PostgresTypeID.int2: bigEndian(Int16.self).map(Int64.init)
        case PostgresTypeID.int4: bigEndian(Int32.self).map(Int64.init)
        case PostgresTypeID.int8: bigEndian(Int64.self)
        case PostgresTypeID.oid: bigEndian(UInt32.self).map(Int64.init)
        default: nil
        }
    }
}

extension Bool: PostgresValue {
    public static var postgresName: String { "bool" }
    public static var postgresTypeID: UInt32 { PostgresTypeID.bool }
    public static var postgresArrayTypeID: UInt32 { PostgresTypeID.boolArray }
    public func appendPostgresBinary(to bytes: inout [UInt8]) { bytes.append(self ? 1 : 0) }
    public static func fromPostgresBinary(_ bytes: ArraySlice<UInt8>, typeID: UInt32) -> Bool? {
        guard typeID == PostgresTypeID.bool, bytes.count == 1 else { return nil }
        return bytes.first != 0
    }
}

extension Int16: PostgresValue {
    public static var postgresName: String { "int2" }
    public static var postgresTypeID: UInt32 { PostgresTypeID.int2 }
    public static var postgresArrayTypeID: UInt32 { PostgresTypeID.int2Array }
    public func appendPostgresBinary(to bytes: inout [UInt8]) { bytes.appendBigEndian(self) }
    public static func fromPostgresBinary(_ bytes: ArraySlice<UInt8>, typeID: UInt32) -> Int16? {
        bytes.integer(typeID: typeID).flatMap(Int16.init(exactly:))
    }
}

extension Int32: PostgresValue {
    public static var postgresName: String { "int4" }
    public static var postgresTypeID: UInt32 { PostgresTypeID.int4 }
    public static var postgresArrayTypeID: UInt32 { PostgresTypeID.int4Array }
    public func appendPostgresBinary(to bytes: inout [UInt8]) { bytes.appendBigEndian(self) }
    public static func fromPostgresBinary(_ bytes: ArraySlice<UInt8>, typeID: UInt32) -> Int32? {
        bytes.integer(typeID: typeID).flatMap(Int32.init(exactly:))
    }
}

extension Int64: PostgresValue {
    public static var postgresName: String { "int8" }
    public static var postgresTypeID: UInt32 { PostgresTypeID.int8 }
    public static var postgresArrayTypeID: UInt32 { PostgresTypeID.int8Array }
    public func appendPostgresBinary(to bytes: inout [UInt8]) { bytes.appendBigEndian(self) }
    public static func fromPostgresBinary(_ bytes: ArraySlice<UInt8>, typeID: UInt32) -> Int64? { bytes.integer(typeID: typeID) }
}

extension Double: PostgresValue {
    public static var postgresName: String { "float8" }
    public static var postgresTypeID: UInt32 { PostgresTypeID.float8 }
    public static var postgresArrayTypeID: UInt32 { PostgresTypeID.float8Array }
    public func appendPostgresBinary(to bytes: inout [UInt8]) { bytes.appendBigEndian(bitPattern) }
    public static func fromPostgresBinary(_ bytes: ArraySlice<UInt8>, typeID: UInt32) -> Double? {
        switch typeID {
        case PostgresTypeID.float8: bytes.bigEndian(UInt64.self).map(Double.init(bitPattern:))
        case PostgresTypeID.float4: bytes.bigEndian(UInt32.self).map { Double(Float(bitPattern: $0)) }
        default: nil
        }
    }
}

extension String: PostgresValue {
    public static var postgresName: String { "text" }
    public static var postgresTypeID: UInt32 { PostgresTypeID.text }
    public static var postgresArrayTypeID: UInt32 { PostgresTypeID.textArray }
    public func appendPostgresBinary(to bytes: inout [UInt8]) { bytes.append(contentsOf: utf8) }
    public static func fromPostgresBinary(_ bytes: ArraySlice<UInt8>, typeID: UInt32) -> String? {
        switch typeID {
        case PostgresTypeID.text, PostgresTypeID.varchar, PostgresTypeID.bpchar, PostgresTypeID.name, PostgresTypeID.json, PostgresTypeID.unknown:
            // The client's encoding is UTF-8: the server sends nothing else, and a repair would change it, not crash.
            String(decoding: bytes, as: UTF8.self)
        case PostgresTypeID.jsonb:
            // A version byte stands in front of the text.
            bytes.first == 1 ? String(validating: bytes.dropFirst(), as: UTF8.self) : nil
        case PostgresTypeID.uuid:
            bytes.count == 16 ? PostgresUUID(wireBytes: bytes).description : nil
        default:
            nil
        }
    }
}

extension [UInt8]: PostgresValue {
    public static var postgresName: String { "bytea" }
    public static var postgresTypeID: UInt32 { PostgresTypeID.bytea }
    public static var postgresArrayTypeID: UInt32 { PostgresTypeID.byteaArray }
    public func appendPostgresBinary(to bytes: inout [UInt8]) { bytes.append(contentsOf: self) }
    public static func fromPostgresBinary(_ bytes: ArraySlice<UInt8>, typeID: UInt32) -> [UInt8]? {
        typeID == PostgresTypeID.bytea ? Array(bytes) : nil
    }
}

extension PostgresTimestamp: PostgresValue {
    public static var postgresName: String { "timestamptz" }
    public static var postgresTypeID: UInt32 { PostgresTypeID.timestamptz }
    public static var postgresArrayTypeID: UInt32 { PostgresTypeID.timestamptzArray }
    public func appendPostgresBinary(to bytes: inout [UInt8]) { bytes.appendBigEndian(wireValue) }
    public static func fromPostgresBinary(_ bytes: ArraySlice<UInt8>, typeID: UInt32) -> PostgresTimestamp? {
        guard typeID == PostgresTypeID.timestamptz else { return nil }
        return bytes.bigEndian(Int64.self).map(PostgresTimestamp.init(wireValue:))
    }
}

extension PostgresDate: PostgresValue {
    public static var postgresName: String { "date" }
    public static var postgresTypeID: UInt32 { PostgresTypeID.date }
    public static var postgresArrayTypeID: UInt32 { PostgresTypeID.dateArray }
    public func appendPostgresBinary(to bytes: inout [UInt8]) { bytes.appendBigEndian(wireValue) }
    public static func fromPostgresBinary(_ bytes: ArraySlice<UInt8>, typeID: UInt32) -> PostgresDate? {
        guard typeID == PostgresTypeID.date else { return nil }
        return bytes.bigEndian(Int32.self).map(PostgresDate.init(wireValue:))
    }
}

extension PostgresUUID: PostgresValue {
    public static var postgresName: String { "uuid" }
    public static var postgresTypeID: UInt32 { PostgresTypeID.uuid }
    public static var postgresArrayTypeID: UInt32 { PostgresTypeID.uuidArray }
    public func appendPostgresBinary(to bytes: inout [UInt8]) { bytes.append(contentsOf: self.bytes) }
    public static func fromPostgresBinary(_ bytes: ArraySlice<UInt8>, typeID: UInt32) -> PostgresUUID? {
        guard typeID == PostgresTypeID.uuid, bytes.count == 16 else { return nil }
        return PostgresUUID(wireBytes: bytes)
    }
}
