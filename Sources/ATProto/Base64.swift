/// RFC 4648 base64 with the standard alphabet, written without padding, as the data model's `$bytes` uses it.
enum Base64 {
    private static let alphabet: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

    /// Writes the text of `bytes` to `target`, where the caller has room for four characters for each three bytes, rounded up.
    static func encode(_ bytes: UnsafeRawBufferPointer, to target: UnsafeMutableRawPointer) {
        let alphabet = alphabet.utf8Start
        var written = 0
        var index = 0
        while index < bytes.count {
            let taken = min(3, bytes.count - index)
            var group: UInt32 = 0
            for position in 0..<taken { group |= UInt32(bytes[index + position]) << UInt32(16 - 8 * position) }
            for position in 0...taken {
                target.storeBytes(of: alphabet[Int(group >> UInt32(18 - 6 * position) & 63)], toByteOffset: written, as: UInt8.self)
                written += 1
            }
            index += taken
        }
    }

    /// Accepts correct padding and none; nil for another character, a wrong length, or bits left over that are not zero.
    static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count * 3 / 4)
        var buffer: UInt32 = 0
        var bits = 0
        var padding = 0
        for character in text {
            if character == UInt8(ascii: "=") {
                padding += 1
                continue
            }
            guard padding == 0, let value = value(of: character) else { return nil }
            buffer = (buffer << 6 | UInt32(value)) & 0xffff
            bits += 6
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(truncatingIfNeeded: buffer >> UInt32(bits)))
            }
        }
        guard bits < 6, buffer & ((1 << UInt32(bits)) - 1) == 0 else { return nil }
        guard padding == 0 || (padding < 3 && text.count % 4 == 0) else { return nil }
        return bytes
    }

    private static func value(of character: UInt8) -> UInt8? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): character - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): character - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0") + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
