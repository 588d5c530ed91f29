/// JSON as a tree: for DID documents, and on the way from JSON to the data model. Integers keep 64 bits.
public indirect enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    /// A number with a fraction or an exponent.
    case number(Double)
    case string(String)
    case array([JSONValue])
    /// Fields as they came, each key once.
    case object([Field])

    public struct Field: Hashable, Sendable {
        public var key: String
        public var value: JSONValue

        public init(key: String, value: JSONValue) {
            self.key = key
            self.value = value
        }
    }

    /// Parses UTF-8 text that is one JSON value; throws `json` where it is not, or nests deeper than ``Limits/nesting``, and `tooLarge` where it
    /// holds more than `valuesMax` values, itself included: a value takes many times the memory of its text.
    public init(parsing text: [UInt8], valuesMax: Int = .max) throws(FormatError) {
        self = try text.withRaw { buffer throws(FormatError) in
            var parser = JSONParser(buffer, valuesMax: valuesMax)
            return try parser.document()
        }
    }

    /// The field of an object; nil where this is none or has no such key.
    public subscript(key: String) -> JSONValue? {
        guard case .object(let fields) = self else { return nil }
        return fields.first { $0.key.utf8.elementsEqual(key.utf8) }?.value
    }

    public var string: String? {
        guard case .string(let value) = self else { return nil }
        return value
    }

    public var array: [JSONValue]? {
        guard case .array(let values) = self else { return nil }
        return values
    }
}
