/// Strings: their ends, their escapes.
extension JSONScanner {
    /// Whether it has escapes.
    mutating func skipString() throws(JSONScanError) -> Bool {
        guard next == UInt8(ascii: "\"") else { throw JSONScanError(offset < bytes.count ? "no string" : "the text ends too early", offset: offset) }
        offset += 1
        var hasEscapes = false
        while offset < bytes.count {
            let byte = bytes[offset]
            if byte == UInt8(ascii: "\"") {
                offset += 1
                return hasEscapes
            }
            if byte == UInt8(ascii: "\\") {
                hasEscapes = true
                try skipEscape()
            } else if byte < 0x20 {
                throw JSONScanError("a control character in a string", offset: offset)
            } else {
                offset += 1
            }
        }
        throw JSONScanError("a string without its end", offset: offset)
    }

    private mutating func skipEscape() throws(JSONScanError) {
        let start = offset
        offset += 1
        guard let byte = next else { throw JSONScanError("a string without its end", offset: start) }
        offset += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"),
            UInt8(ascii: "t"):
            return
        case UInt8(ascii: "u"): break
        default: throw JSONScanError("an unknown escape", offset: start)
        }
        guard let code = Self.hexadecimal(bytes[offset...]) else { throw JSONScanError("an escape without four hexadecimal digits", offset: start) }
        offset += 4
        guard (0xD800...0xDFFF).contains(code) else { return }
        let rest = bytes[offset...]
        guard code < 0xDC00, rest.starts(with: [UInt8(ascii: "\\"), UInt8(ascii: "u")]), let low = Self.hexadecimal(rest.dropFirst(2)),
            (0xDC00...0xDFFF).contains(low)
        else { throw JSONScanError("a lone surrogate", offset: start) }
        offset += 6
    }

    /// The first four bytes as a number; nil where they are no four hexadecimal digits.
    private static func hexadecimal(_ bytes: ArraySlice<UInt8>) -> UInt32? {
        guard bytes.count >= 4 else { return nil }
        var code: UInt32 = 0
        for byte in bytes.prefix(4) {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else { return nil }
            code = code << 4 | UInt32(digit)
        }
        return code
    }

    /// The inside of a string that was checked.
    static func unescaped(_ inner: ArraySlice<UInt8>) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(inner.count)
        var rest = inner
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\"), let escape = rest.popFirst() else {
                text.append(byte)
                continue
            }
            switch escape {
            case UInt8(ascii: "b"): text.append(0x08)
            case UInt8(ascii: "f"): text.append(0x0C)
            case UInt8(ascii: "n"): text.append(0x0A)
            case UInt8(ascii: "r"): text.append(0x0D)
            case UInt8(ascii: "t"): text.append(0x09)
            case UInt8(ascii: "u"):
                guard var code = hexadecimal(rest) else { continue }
                rest = rest.dropFirst(4)
                if (0xD800..<0xDC00).contains(code), let low = hexadecimal(rest.dropFirst(2)), low >= 0xDC00 {
                    code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
                    rest = rest.dropFirst(6)
                }
                if let scalar = Unicode.Scalar(code) { text.append(contentsOf: String(Character(scalar)).utf8) }
            default: text.append(escape)
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
