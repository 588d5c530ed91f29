/// Postgres' binary format of one-dimensional arrays. Source: PostgreSQL 15, `array_send` and `array_recv`.
enum PostgresArrayFormat {
    static func encode<Value: PostgresValue>(_ values: some Collection<Value?>) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(20 + 12 * values.count)
        bytes.appendBigEndian(Int32(values.isEmpty ? 0 : 1))
        bytes.appendBigEndian(Int32(values.contains { $0 == nil } ? 1 : 0))
        bytes.appendBigEndian(Value.postgresTypeID)
        guard !values.isEmpty else { return bytes }
        bytes.appendBigEndian(Int32(clamping: values.count))
        bytes.appendBigEndian(Int32(1))
        for value in values {
            guard let value else {
                bytes.appendBigEndian(Int32(-1))
                continue
            }
            let place = bytes.count
            bytes.appendBigEndian(Int32(0))
            value.appendPostgresBinary(to: &bytes)
            bytes.overwriteBigEndian(Int32(clamping: bytes.count - place - 4), at: place)
        }
        return bytes
    }

    /// Nil where the bytes are not a one-dimensional array of the element type.
    static func decode<Value: PostgresValue>(_ bytes: ArraySlice<UInt8>, of type: Value.Type) -> [Value?]? {
        var rest = bytes
        func integer() -> Int32? {
            guard rest.count >= 4 else { return nil }
            defer { rest = rest.dropFirst(4) }
            return rest.prefix(4).bigEndian(Int32.self)
        }
        guard let dimensions = integer(), integer() != nil, let element = integer() else { return nil }
        if dimensions == 0 { return rest.isEmpty ? [] : nil }
        // Each element takes four bytes at least, which bounds what a wrong count can make us reserve.
        guard dimensions == 1, let count = integer(), integer() != nil, count >= 0, rest.count >= 4 * Int(count) else { return nil }
        var values: [Value?] = []
        values.reserveCapacity(Int(count))
        for _ in 0..<count {
            guard let length = integer() else { return nil }
            if length == -1 {
                values.append(nil)
                continue
            }
            guard length >= 0, rest.count >= Int(length),
                let value = Value.fromPostgresBinary(rest.prefix(Int(length)), typeID: UInt32(bitPattern: element))
            else { return nil }
            values.append(value)
            rest = rest.dropFirst(Int(length))
        }
        return rest.isEmpty ? values : nil
    }
}
