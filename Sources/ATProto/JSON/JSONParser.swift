/// A strict parser of JSON (RFC 8259): no duplicate keys, no lone surrogates, UTF-8 only, bounded nesting.
struct JSONParser {
    private let buffer: UnsafeRawBufferPointer
    private var offset = 0
    private let valuesMax: Int
    private var values = 0

    init(_ buffer: UnsafeRawBufferPointer, valuesMax: Int = .max) {
        self.buffer = buffer
        self.valuesMax = valuesMax
    }

    private func failure(_ message: String) -> FormatError { FormatError(.json, message, offset: offset) }

    mutating func document() throws(FormatError) -> JSONValue {
        guard UTF8Check.isValid(buffer, 0..<buffer.count) else { throw failure("text that is not UTF-8") }
        let value = try value(nesting: Limits.nesting)
        skipSpace()
        guard offset == buffer.count else { throw failure("text after the value") }
        return value
    }

    private var next: UInt8? { offset < buffer.count ? buffer[offset] : nil }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { offset += 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        skipSpace()
        guard next == byte else { return false }
        offset += 1
        return true
    }

    private mutating func value(nesting: Int) throws(FormatError) -> JSONValue {
        guard nesting > 0 else { throw failure("nested too deeply") }
        values += 1
        guard values <= valuesMax else { throw FormatError(.tooLarge, "more than \(valuesMax) values", offset: offset) }
        skipSpace()
        switch next {
        case UInt8(ascii: "{"): return try object(nesting)
        case UInt8(ascii: "["): return try array(nesting)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case .none: throw failure("ends too early")
        default: return try number()
        }
    }

    private mutating func word(_ text: StaticString, _ value: JSONValue) throws(FormatError) -> JSONValue {
        for index in 0..<text.utf8CodeUnitCount {
            guard next == text.utf8Start[index] else { throw failure("not a JSON value") }
            offset += 1
        }
        return value
    }

    private mutating func array(_ nesting: Int) throws(FormatError) -> JSONValue {
        offset += 1
        var values: [JSONValue] = []
        if take(UInt8(ascii: "]")) { return .array(values) }
        while true {
            values.append(try value(nesting: nesting - 1))
            if take(UInt8(ascii: "]")) { return .array(values) }
            guard take(UInt8(ascii: ",")) else { throw failure("expected , or ]") }
        }
    }

    private mutating func object(_ nesting: Int) throws(FormatError) -> JSONValue {
        offset += 1
        var fields: [JSONValue.Field] = []
        // Keys are told apart by their bytes: strings that look alike are not one key.
        var seen: Set<[UInt8]> = []
        if take(UInt8(ascii: "}")) { return .object(fields) }
        while true {
            skipSpace()
            guard next == UInt8(ascii: "\"") else { throw failure("expected a key") }
            let key = try string()
            guard seen.insert(Array(key.utf8)).inserted else { throw failure("a key that is there twice") }
            guard take(UInt8(ascii: ":")) else { throw failure("expected :") }
            fields.append(JSONValue.Field(key: key, value: try value(nesting: nesting - 1)))
            if take(UInt8(ascii: "}")) { return .object(fields) }
            guard take(UInt8(ascii: ",")) else { throw failure("expected , or }") }
        }
    }

    private mutating func number() throws(FormatError) -> JSONValue {
        let start = offset
        if next == UInt8(ascii: "-") { offset += 1 }
        let first = next
        guard digits() > 0 else { throw failure("not a JSON value") }
        if first == UInt8(ascii: "0"), offset - start > (buffer[start] == UInt8(ascii: "-") ? 2 : 1) { throw failure("a number with leading zeros") }
        var isInteger = true
        if next == UInt8(ascii: ".") {
            isInteger = false
            offset += 1
            guard digits() > 0 else { throw failure("a number without digits after the point") }
        }
        if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
            isInteger = false
            offset += 1
            if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { offset += 1 }
            guard digits() > 0 else { throw failure("a number without digits in its exponent") }
        }
        guard offset - start <= 128 else { throw failure("a number of more than 128 characters") }
        let text = String(decoding: UnsafeRawBufferPointer(rebasing: buffer[start..<offset]), as: UTF8.self)
        if isInteger {
            guard let value = Int64(text) else { throw failure("an integer beyond 64 bits") }
            return .integer(value)
        }
        guard let value = Double(text), value.isFinite else { throw failure("a number out of range") }
        return .number(value)
    }

    private mutating func digits() -> Int {
        let start = offset
        while let byte = next, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { offset += 1 }
        return offset - start
    }

    private mutating func string() throws(FormatError) -> String {
        offset += 1
        let start = offset
        while let byte = next, byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") { offset += 1 }
        var text = Array(UnsafeRawBufferPointer(rebasing: buffer[start..<offset]))
        while let byte = next {
            guard byte >= 0x20 else { throw failure("a control character in a string") }
            offset += 1
            if byte == UInt8(ascii: "\"") { return String(decoding: text, as: UTF8.self) }
            if byte == UInt8(ascii: "\\") { try escape(into: &text) } else { text.append(byte) }
        }
        throw failure("a string without its end")
    }

    private mutating func escape(into text: inout [UInt8]) throws(FormatError) {
        guard let byte = next else { throw failure("ends too early") }
        offset += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0c)
        case UInt8(ascii: "n"): text.append(0x0a)
        case UInt8(ascii: "r"): text.append(0x0d)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            var code = try hexadecimal()
            if (0xd800...0xdbff).contains(code) {
                guard next == UInt8(ascii: "\\") else { throw failure("a lone surrogate") }
                offset += 1
                guard next == UInt8(ascii: "u") else { throw failure("a lone surrogate") }
                offset += 1
                let low = try hexadecimal()
                guard (0xdc00...0xdfff).contains(low) else { throw failure("a lone surrogate") }
                code = 0x10000 + (code - 0xd800) << 10 + (low - 0xdc00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw failure("a lone surrogate") }
            text.append(contentsOf: String(Character(scalar)).utf8)
        default: throw failure("an unknown escape")
        }
    }

    private mutating func hexadecimal() throws(FormatError) -> UInt32 {
        guard buffer.count - offset >= 4 else { throw failure("ends too early") }
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = Character(Unicode.Scalar(buffer[offset])).hexDigitValue else { throw failure("expected four hexadecimal digits") }
            code = code << 4 | UInt32(digit)
            offset += 1
        }
        return code
    }
}
