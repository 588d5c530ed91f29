/// One row of an answer. Values are read by name or, in hot paths, by place from 0.
///
/// Integers are read into any Swift integer that holds them; another type, a null or an unknown column throws ``PostgresErrorCode/decoding``
/// with the column's name.
public struct PostgresRow: Sendable {
    let rows: PostgresRows
    let row: Int

    // Called for each value of an answer: without these, each call looks up generic metadata.
    @specialized(where Value == String)
    @specialized(where Value == Int64)
    @specialized(where Value == Bool)
    @specialized(where Value == PostgresTimestamp)
    public func value<Value: PostgresValue>(_ column: Int, as type: Value.Type = Value.self) throws(PostgresError) -> Value {
        guard let value = try optional(column, as: type) else { throw mismatch(column, "is null, not \(Value.postgresName)") }
        return value
    }

    public func value<Value: PostgresValue>(_ column: String, as type: Value.Type = Value.self) throws(PostgresError) -> Value {
        try value(try place(of: column), as: type)
    }

    /// Nil where the value is null.
    @specialized(where Value == String)
    @specialized(where Value == Int64)
    @specialized(where Value == Bool)
    @specialized(where Value == PostgresTimestamp)
    public func optional<Value: PostgresValue>(_ column: Int, as type: Value.Type = Value.self) throws(PostgresError) -> Value? {
        guard let bytes = try bytes(column) else { return nil }
        let typeID = rows.columns.typeIDs[column]
        guard let value = Value.fromPostgresBinary(bytes, typeID: typeID) else {
            throw mismatch(column, "of type \(typeID) and \(bytes.count) bytes is not \(Value.postgresName)")
        }
        return value
    }

    public func optional<Value: PostgresValue>(_ column: String, as type: Value.Type = Value.self) throws(PostgresError) -> Value? {
        try optional(try place(of: column), as: type)
    }

    /// The UTF-8 of a `text` or `json`, not made a `String` first.
    public func utf8(_ column: Int) throws(PostgresError) -> [UInt8] {
        guard let bytes = try bytes(column) else { throw mismatch(column, "is null, not text") }
        let typeID = rows.columns.typeIDs[column]
        guard [PostgresTypeID.text, PostgresTypeID.varchar, PostgresTypeID.json].contains(typeID) else {
            throw mismatch(column, "of type \(typeID) is not text")
        }
        return Array(bytes)
    }

    /// A one-dimensional array, whose elements may be null.
    public func array<Value: PostgresValue>(_ column: Int, of type: Value.Type = Value.self) throws(PostgresError) -> [Value?] {
        guard let bytes = try bytes(column) else { throw mismatch(column, "is null, not \(Value.postgresName)[]") }
        guard let values = PostgresArrayFormat.decode(bytes, of: type) else { throw mismatch(column, "is not \(Value.postgresName)[]") }
        return values
    }

    public func array<Value: PostgresValue>(_ column: String, of type: Value.Type = Value.self) throws(PostgresError) -> [Value?] {
        try array(try place(of: column), of: type)
    }

    private func place(of column: String) throws(PostgresError) -> Int {
        guard let place = rows.columns.names.firstIndex(of: column) else {
            throw PostgresError(code: .decoding, message: "there is no column \"\(column)\"", entity: column)
        }
        return place
    }

    private func bytes(_ column: Int) throws(PostgresError) -> ArraySlice<UInt8>? {
        guard rows.columns.names.indices.contains(column) else {
            throw PostgresError(code: .decoding, message: "there is no column \(column): the row has \(rows.columns.names.count)")
        }
        let (start, length) = rows.places[row * rows.columns.names.count + column]
        return length < 0 ? nil : rows.storage[start..<start + Int(length)]
    }

    private func mismatch(_ column: Int, _ what: String) -> PostgresError {
        let name = rows.columns.names[column]
        return PostgresError(code: .decoding, message: "column \"\(name)\" \(what)", entity: name)
    }
}
