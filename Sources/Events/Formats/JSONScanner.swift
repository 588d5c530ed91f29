/// Reads JSON from front to back and builds no tree: the caller says what it expects next, and takes values out as text.
///
/// Strict (RFC 8259): UTF-8 only, no lone surrogates, nesting up to ``nestingMax``, numbers up to ``numberBytesMax`` characters. White space is skipped in
/// front of whatever is asked for.
public struct JSONScanner: Sendable {
    public enum Kind: Hashable, Sendable { case object, array, string, number, flag, null }

    public static let nestingMax = 64
    public static let numberBytesMax = 128

    let bytes: [UInt8]
    public internal(set) var offset = 0

    public init(_ bytes: [UInt8]) throws(JSONScanError) {
        guard String(validating: bytes, as: UTF8.self) != nil else { throw JSONScanError("the text is not UTF-8", offset: 0) }
        self.bytes = bytes
    }

    /// What begins next; nil at the end, or where no value can begin so.
    public mutating func kind() -> Kind? {
        skipSpace()
        guard let next else { return nil }
        switch next {
        case UInt8(ascii: "{"): return .object
        case UInt8(ascii: "["): return .array
        case UInt8(ascii: "\""): return .string
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number
        case UInt8(ascii: "t"), UInt8(ascii: "f"): return .flag
        case UInt8(ascii: "n"): return .null
        default: return nil
        }
    }

    /// Whether nothing but white space is left.
    public mutating func isAtEnd() -> Bool {
        skipSpace()
        return offset == bytes.count
    }

    /// The next item of an array, called in front of each: false where the array has ended.
    public mutating func item(isFirst: Bool) throws(JSONScanError) -> Bool {
        if isFirst { try expect(UInt8(ascii: "["), "an array") }
        if take(UInt8(ascii: "]")) { return false }
        if !isFirst { try expect(UInt8(ascii: ","), "a comma or the end of the array") }
        return true
    }

    /// The next member's name of an object, called in front of each: nil where the object has ended.
    public mutating func member(isFirst: Bool) throws(JSONScanError) -> String? {
        if isFirst { try expect(UInt8(ascii: "{"), "an object") }
        if take(UInt8(ascii: "}")) { return nil }
        if !isFirst { try expect(UInt8(ascii: ","), "a comma or the end of the object") }
        let name = try string()
        try expect(UInt8(ascii: ":"), "a colon")
        return name
    }

    /// A string, its escapes resolved.
    public mutating func string() throws(JSONScanError) -> String {
        skipSpace()
        let start = offset
        let hasEscapes = try skipString()
        let inner = bytes[(start + 1)..<(offset - 1)]
        guard hasEscapes else { return String(decoding: inner, as: UTF8.self) }
        return Self.unescaped(inner)
    }

    /// A whole number without fraction or exponent, within 64 bits.
    public mutating func integer() throws(JSONScanError) -> Int64 {
        skipSpace()
        let start = offset
        guard next == UInt8(ascii: "-") || isDigit(next) else { throw JSONScanError("no whole number", offset: start) }
        try skipNumber()
        guard let value = Int64(String(decoding: bytes[start..<offset], as: UTF8.self)) else {
            throw JSONScanError("no whole number within 64 bits", offset: start)
        }
        return value
    }

    /// Appends any value as text, without the white space between its tokens.
    public mutating func value(into text: inout [UInt8]) throws(JSONScanError) { try value(into: &text, nesting: Self.nestingMax) }

    /// Passes over any value.
    public mutating func skipValue() throws(JSONScanError) {
        var dropped: [UInt8] = []
        try value(into: &dropped)
    }

    // MARK: - Tokens

    var next: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    private mutating func skipSpace() {
        while offset < bytes.count, bytes[offset] == 0x20 || bytes[offset] == 0x0A || bytes[offset] == 0x0D || bytes[offset] == 0x09 { offset += 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        skipSpace()
        guard next == byte else { return false }
        offset += 1
        return true
    }

    private mutating func expect(_ byte: UInt8, _ what: String) throws(JSONScanError) {
        guard take(byte) else { throw JSONScanError(offset < bytes.count ? "\(what) was expected" : "the text ends too early", offset: offset) }
    }

    private mutating func value(into text: inout [UInt8], nesting: Int) throws(JSONScanError) {
        guard nesting > 0 else { throw JSONScanError("nested more than \(Self.nestingMax) deep", offset: offset) }
        let kind = kind()
        let start = offset
        switch kind {
        case .object:
            text.append(UInt8(ascii: "{"))
            var isFirst = true
            while try memberText(isFirst: isFirst, into: &text) {
                try value(into: &text, nesting: nesting - 1)
                isFirst = false
            }
            text.append(UInt8(ascii: "}"))
            return
        case .array:
            text.append(UInt8(ascii: "["))
            var isFirst = true
            while try item(isFirst: isFirst) {
                if !isFirst { text.append(UInt8(ascii: ",")) }
                try value(into: &text, nesting: nesting - 1)
                isFirst = false
            }
            text.append(UInt8(ascii: "]"))
            return
        case .string: _ = try skipString()
        case .number: try skipNumber()
        case .flag: try skipWord(next == UInt8(ascii: "t") ? "true" : "false")
        case .null: try skipWord("null")
        case nil: throw JSONScanError(offset < bytes.count ? "no JSON value" : "the text ends too early", offset: offset)
        }
        text.append(contentsOf: bytes[start..<offset])
    }

    /// As ``member(isFirst:)``, with the name copied as it stands.
    private mutating func memberText(isFirst: Bool, into text: inout [UInt8]) throws(JSONScanError) -> Bool {
        if isFirst { try expect(UInt8(ascii: "{"), "an object") }
        if take(UInt8(ascii: "}")) { return false }
        if !isFirst {
            try expect(UInt8(ascii: ","), "a comma or the end of the object")
            text.append(UInt8(ascii: ","))
        }
        skipSpace()
        let start = offset
        _ = try skipString()
        text.append(contentsOf: bytes[start..<offset])
        try expect(UInt8(ascii: ":"), "a colon")
        text.append(UInt8(ascii: ":"))
        return true
    }

    private mutating func skipWord(_ word: StaticString) throws(JSONScanError) {
        for index in 0..<word.utf8CodeUnitCount {
            guard next == word.utf8Start[index] else { throw JSONScanError("no JSON value", offset: offset) }
            offset += 1
        }
    }

    private func isDigit(_ byte: UInt8?) -> Bool { byte.map { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ?? false }

    private mutating func skipNumber() throws(JSONScanError) {
        let start = offset
        if next == UInt8(ascii: "-") { offset += 1 }
        let first = offset
        try skipDigits()
        if bytes[first] == UInt8(ascii: "0"), offset - first > 1 { throw JSONScanError("a number with leading zeros", offset: start) }
        if next == UInt8(ascii: ".") {
            offset += 1
            try skipDigits()
        }
        if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
            offset += 1
            if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { offset += 1 }
            try skipDigits()
        }
        guard offset - start <= Self.numberBytesMax else {
            throw JSONScanError("a number of more than \(Self.numberBytesMax) characters", offset: start)
        }
    }

    private mutating func skipDigits() throws(JSONScanError) {
        guard isDigit(next) else { throw JSONScanError("a digit was expected", offset: offset) }
        while isDigit(next) { offset += 1 }
    }
}
