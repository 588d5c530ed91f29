/// The JSON form of the data model: `{"$link": cid}`, `{"$bytes": base64 without padding}`, blobs with their `$type`.
///
/// Integers keep 64 bits and U+0000 stands as `\u0000`. Refused, since JSON could not be read back as the same data or the data model
/// forbids it: floats, maps with a key `$link` or `$bytes`, a `$type` that is not a text of at least one character, a blob without its
/// `ref`, `mimeType` and `size`.
public enum DAGJSON {
    /// The JSON form of the record in `range` of `bytes`: canonical DAG-CBOR whose top is a map.
    ///
    /// Straight from one buffer to the other, with all checks of a strict reader on the way. Throws `cbor`, `cid` or `dataModel`.
    public static func json(_ range: Range<Int>, of bytes: [UInt8]) throws(FormatError) -> [UInt8] {
        guard range.lowerBound >= 0, range.upperBound <= bytes.count else { throw FormatError(.cbor, "a range outside of the buffer") }
        return try bytes.withRaw { buffer throws(FormatError) in
            // Text takes about as much as it took, a link nearly twice: most records fit at once. No item grows more than fourteenfold.
            var capacity = range.count + range.count / 4 + 128
            while true {
                if let json = try write(CBORReader(buffer, range: range), capacity: capacity) { return json }
                capacity *= 4
            }
        }
    }

    /// Nil where the JSON has no room.
    private static func write(_ reader: CBORReader, capacity: Int) throws(FormatError) -> [UInt8]? {
        var failure: FormatError?
        var isTooSmall = false
        let json = [UInt8](unsafeUninitializedCapacity: capacity) { memory, count in
            var output = JSONOutput(UnsafeMutableRawBufferPointer(memory))
            var writer = DAGJSONWriter(reader)
            do throws(FormatError) { try writer.record(into: &output) } catch { failure = error }
            isTooSmall = output.isTooSmall
            count = output.count
        }
        if let failure { throw failure }
        return isTooSmall ? nil : json
    }

    /// Appends the JSON form of the record in `range` of `bytes`; where that throws, `json` is as it was.
    public static func write(_ range: Range<Int>, of bytes: [UInt8], into json: inout [UInt8]) throws(FormatError) {
        json.append(contentsOf: try self.json(range, of: bytes))
    }

    /// The JSON form of all of `bytes`.
    public static func json(_ bytes: [UInt8]) throws(FormatError) -> [UInt8] { try json(0..<bytes.count, of: bytes) }

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
