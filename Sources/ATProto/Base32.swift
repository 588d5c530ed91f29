/// RFC 4648 base32 in lower case without padding, as multibase `b` uses it.
enum Base32 {
    private static let alphabet: StaticString = "abcdefghijklmnopqrstuvwxyz234567"

    /// Writes the text of `bytes` to `target`, where the caller has room for eight characters for each five bytes begun; returns how many it has.
    static func encode(_ bytes: UnsafeRawBufferPointer, to target: UnsafeMutableRawPointer) -> Int {
        let alphabet = alphabet.utf8Start
        var written = 0
        var index = 0
        while index < bytes.count {
            // Five bytes are eight characters; what is missing at the end counts as zero bits, and is not written.
            let taken = min(5, bytes.count - index)
            var group: UInt64 = 0
            for position in 0..<taken { group |= UInt64(bytes[index + position]) << UInt64(32 - 8 * position) }
            for position in 0..<((taken * 8 + 4) / 5) {
                target.storeBytes(of: alphabet[Int(group >> UInt64(35 - 5 * position) & 31)], toByteOffset: written, as: UInt8.self)
                written += 1
            }
            index += taken
        }
        return written
    }

    /// Nil where a character is not of the alphabet or the bits left over are not zero.
    static func decode(_ text: [UInt8]) -> [UInt8]? {
        text.withUnsafeBufferPointer { text in
            withUnsafeTemporaryAllocation(byteCount: max(1, text.count * 5 / 8), alignment: 1) { bytes in
                decode(text, to: bytes).map { Array(bytes[..<$0]) }
            }
        }
    }

    /// As above; writes to `target`, where the caller has room for five bytes for each eight characters, and returns how many it has.
    static func decode(_ text: UnsafeBufferPointer<UInt8>, to target: UnsafeMutableRawBufferPointer) -> Int? {
        var buffer: UInt32 = 0
        var bits: UInt32 = 0
        var written = 0
        for character in text {
            let value: UInt8
            switch character {
            case UInt8(ascii: "a")...UInt8(ascii: "z"): value = character - UInt8(ascii: "a")
            case UInt8(ascii: "2")...UInt8(ascii: "7"): value = character - UInt8(ascii: "2") + 26
            default: return nil
            }
            buffer = (buffer << 5 | UInt32(value)) & 0xffff
            bits += 5
            if bits >= 8 {
                bits -= 8
                target[written] = UInt8(truncatingIfNeeded: buffer >> bits)
                written += 1
            }
        }
        guard bits < 5, buffer & ((1 << bits) - 1) == 0 else { return nil }
        return written
    }
}
