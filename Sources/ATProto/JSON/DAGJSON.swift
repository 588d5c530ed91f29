/// The JSON form of the data model: `{"$link": cid}`, `{"$bytes": base64 without padding}`, blobs with their `$type`.
///
/// Integers keep 64 bits and U+0000 stands as `\u0000`. Refused, since JSON could not be read back as the same data or the data model
/// forbids it: floats, maps with a key `$link` or `$bytes`, a `$type` that is not a text of at least one character, a blob without its
/// `ref`, `mimeType` and `size`.
public enum DAGJSON {
    /// Appends the JSON form of the record in `range` of `bytes`: canonical DAG-CBOR whose top is a map.
    ///
    /// Straight from one buffer to the other. Throws `cbor`, `cid` or `dataModel`; then `json` is as it was.
    public static func write(_ range: Range<Int>, of bytes: [UInt8], into json: inout [UInt8]) throws(FormatError) {
        guard range.lowerBound >= 0, range.upperBound <= bytes.count else { throw FormatError(.cbor, "a range outside of the buffer") }
        let start = json.count
        json.reserveCapacity(start + range.count * 2)
        do {
            try bytes.withRaw { buffer throws(FormatError) in
                var writer = DAGJSONWriter(CBORReader(buffer, range: range))
                try writer.record(into: &json)
            }
        } catch {
            json.removeSubrange(start...)
            throw error
        }
    }

    /// The JSON form of all of `bytes`.
    public static func json(_ bytes: [UInt8]) throws(FormatError) -> [UInt8] {
        var json: [UInt8] = []
        try write(0..<bytes.count, of: bytes, into: &json)
        return json
    }

    /// Reads a record's JSON; throws `json` where it is none, `dataModel` where it has no place in the data model or its top is no object.
    public static func record(_ json: [UInt8]) throws(FormatError) -> CBORValue {
        guard case .map(let map) = try value(JSONValue(parsing: json)) else { throw FormatError(.dataModel, "a record that is no object") }
        return .map(map)
    }

    /// The data that a JSON value stands for.
    public static func value(_ json: JSONValue) throws(FormatError) -> CBORValue {
        switch json {
        case .null: return .null
        case .bool(let value): return .bool(value)
        case .integer(let value): return .integer(value)
        case .number(let value):
            // 123.0 is an integer that some writer of JSON keeps as a float; above 2^53 such a writer has lost the value already.
            guard value.rounded() == value, abs(value) <= 9_007_199_254_740_992 else { throw FormatError(.dataModel, "a float") }
            return .integer(Int64(value))
        case .string(let value): return .text(value)
        case .array(let values):
            var result: [CBORValue] = []
            for value in values { result.append(try Self.value(value)) }
            return .array(result)
        case .object(let fields): return try object(fields)
        }
    }

    private static func object(_ fields: [JSONValue.Field]) throws(FormatError) -> CBORValue {
        if let field = fields.first(where: { $0.key == "$link" }) {
            guard fields.count == 1, let text = field.value.string, let cid = CID(text) else { throw FormatError(.dataModel, "a $link that is none") }
            return .link(cid)
        }
        if let field = fields.first(where: { $0.key == "$bytes" }) {
            guard fields.count == 1, let text = field.value.string, let bytes = Base64.decode(text.utf8) else {
                throw FormatError(.dataModel, "$bytes that are none")
            }
            return .bytes(bytes)
        }
        var pairs: [(String, CBORValue)] = []
        for field in fields { pairs.append((field.key, try value(field.value))) }
        let map = CBORMap(pairs)
        if let type = map["$type"] {
            guard case .text(let name) = type, !name.isEmpty else { throw FormatError(.dataModel, "a $type that is no name") }
            if name == "blob" { try checkBlob(map) }
        }
        return .map(map)
    }

    private static func checkBlob(_ map: CBORMap) throws(FormatError) {
        guard case .link = map["ref"], case .text = map["mimeType"], case .integer = map["size"] else {
            throw FormatError(.dataModel, "a blob without its ref, mimeType or size")
        }
    }
}
