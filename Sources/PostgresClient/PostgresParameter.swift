/// A value for `$1`, `$2`, … of a statement, in Postgres' binary format, with its type.
///
/// Every factory takes nil and gives a null of that type, so that `unnest($1)` and overloaded functions resolve the same with and without one.
/// A text with U+0000 is refused by the server (``PostgresErrorCode/characterNotInRepertoire``).
public struct PostgresParameter: Hashable, Sendable {
    /// The type's object id; 0 lets the server infer it.
    let typeID: UInt32
    /// Nil is null.
    let bytes: [UInt8]?

    private init(typeID: UInt32, bytes: [UInt8]?) {
        self.typeID = typeID
        self.bytes = bytes
    }

    /// A null whose type the server infers.
    public static let null = PostgresParameter(typeID: PostgresTypeID.unspecified, bytes: nil)

    public static func value<Value: PostgresValue>(_ value: Value?) -> Self {
        guard let value else { return PostgresParameter(typeID: Value.postgresTypeID, bytes: nil) }
        var bytes: [UInt8] = []
        value.appendPostgresBinary(to: &bytes)
        return PostgresParameter(typeID: Value.postgresTypeID, bytes: bytes)
    }

    /// A one-dimensional array, whose elements may be null.
    public static func array<Value: PostgresValue>(_ values: some Collection<Value?>) -> Self {
        PostgresParameter(typeID: Value.postgresArrayTypeID, bytes: PostgresArrayFormat.encode(values))
    }

    public static func bool(_ value: Bool?) -> Self { .value(value) }
    public static func int16(_ value: Int16?) -> Self { .value(value) }
    public static func int32(_ value: Int32?) -> Self { .value(value) }
    public static func int64(_ value: Int64?) -> Self { .value(value) }
    public static func double(_ value: Double?) -> Self { .value(value) }
    public static func text(_ value: String?) -> Self { .value(value) }
    public static func bytea(_ value: [UInt8]?) -> Self { .value(value) }
    public static func timestamp(_ value: PostgresTimestamp?) -> Self { .value(value) }
    public static func date(_ value: PostgresDate?) -> Self { .value(value) }
    public static func uuid(_ value: PostgresUUID?) -> Self { .value(value) }

    public static func bools(_ values: [Bool?]) -> Self { .array(values) }
    public static func int16s(_ values: [Int16?]) -> Self { .array(values) }
    public static func int32s(_ values: [Int32?]) -> Self { .array(values) }
    public static func int64s(_ values: [Int64?]) -> Self { .array(values) }
    public static func texts(_ values: [String?]) -> Self { .array(values) }
    public static func byteas(_ values: [[UInt8]?]) -> Self { .array(values) }
    public static func timestamps(_ values: [PostgresTimestamp?]) -> Self { .array(values) }

    /// A `json` or `jsonb` value as text; the statement must cast it (`$1::jsonb`).
    public static func json(_ text: String?) -> Self { .value(text) }
}
