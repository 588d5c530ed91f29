/// Any value of the data model as a tree: for tests, tools and the simulator. Hot paths read with a cursor instead.
///
/// Integers keep 64 bits and strings keep U+0000.
public indirect enum CBORValue: Hashable, Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    case float(Double)
    case text(String)
    case bytes([UInt8])
    case link(CID)
    case array([CBORValue])
    case map(CBORMap)

    /// The field of a map; nil where this is no map or has no such key.
    public subscript(key: String) -> CBORValue? {
        guard case .map(let map) = self else { return nil }
        return map[key]
    }

    /// The canonical DAG-CBOR of this value.
    public func encode() -> [UInt8] {
        var writer = CBORWriter()
        encode(into: &writer)
        return writer.bytes
    }

    public func encode(into writer: inout CBORWriter) {
        switch self {
        case .null: writer.null()
        case .bool(let value): writer.bool(value)
        case .integer(let value): writer.integer(value)
        case .float(let value): writer.float(value)
        case .text(let value): writer.text(value)
        case .bytes(let value): writer.byteString(value)
        case .link(let cid): writer.link(cid)
        case .array(let values):
            writer.array(count: values.count)
            for value in values { value.encode(into: &writer) }
        case .map(let map):
            writer.map(count: map.fields.count)
            for field in map.fields {
                writer.text(field.key)
                field.value.encode(into: &writer)
            }
        }
    }

    /// Reads exactly one value from all of `bytes`; throws `cbor` for anything that is not canonical DAG-CBOR.
    public static func decode(_ bytes: [UInt8]) throws(FormatError) -> CBORValue {
        try reading(bytes) { reader throws(FormatError) in
            let value = try CBORValue(&reader, nesting: Limits.nesting)
            guard reader.isAtEnd else { throw reader.failure("bytes after the value") }
            return value
        }
    }

    init(_ reader: inout CBORReader, nesting: Int) throws(FormatError) {
        guard nesting > 0 else { throw reader.failure("nested too deeply") }
        let kind = try reader.kind()
        if kind == .bytes || kind == .link, nesting < 2 { throw reader.failure("nested too deeply") }
        switch kind {
        case .integer: self = .integer(try reader.integer())
        case .bytes: self = .bytes(reader.array(try reader.byteString()))
        case .text: self = .text(reader.string(try reader.text()))
        case .link: self = .link(try reader.link())
        case .null:
            try reader.null()
            self = .null
        case .bool: self = .bool(try reader.bool())
        case .float: self = .float(try reader.float())
        case .array:
            let count = try reader.arrayCount()
            var values: [CBORValue] = []
            for _ in 0..<count { values.append(try CBORValue(&reader, nesting: nesting - 1)) }
            self = .array(values)
        case .map:
            let count = try reader.mapCount()
            var order = CBORKeyOrder()
            var fields: [CBORMap.Field] = []
            for _ in 0..<count {
                let key = reader.string(try reader.key(&order))
                fields.append(CBORMap.Field(key: key, value: try CBORValue(&reader, nesting: nesting - 1)))
            }
            self = .map(CBORMap(canonical: fields))
        }
    }
}

// No literal nil: in an optional context it would be taken for a null that is there.
extension CBORValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral,
    ExpressibleByDictionaryLiteral
{
    public init(stringLiteral value: String) { self = .text(value) }
    public init(integerLiteral value: Int64) { self = .integer(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(arrayLiteral elements: CBORValue...) { self = .array(elements) }
    public init(dictionaryLiteral elements: (String, CBORValue)...) { self = .map(CBORMap(elements)) }
}
