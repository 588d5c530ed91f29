/// Unsigned LEB128 as multiformats restrict it: at most nine bytes, shortest form.
enum Varint {
    static func append(_ value: Int, to bytes: inout [UInt8]) {
        var rest = UInt64(value)
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    /// Reads at `offset` and moves it; throws `car` where the varint is too long, not shortest, or cut off.
    static func read(_ buffer: UnsafeRawBufferPointer, at offset: inout Int, end: Int) throws(FormatError) -> Int {
        guard let value = try readIfWhole(buffer, at: &offset, end: end) else { throw FormatError(.car, "a length that is cut off", offset: offset) }
        return value
    }

    /// The same, but nil where the varint is cut off: then more of it may come.
    @inline(__always)
    static func readIfWhole(_ buffer: UnsafeRawBufferPointer, at offset: inout Int, end: Int) throws(FormatError) -> Int? {
        var value: UInt64 = 0
        var position = offset
        for shift in stride(from: UInt64(0), to: 63, by: 7) {
            guard position < end else { return nil }
            let byte = buffer[position]
            position += 1
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 {
                guard byte != 0 || shift == 0 else { throw FormatError(.car, "a length that is not in its shortest form", offset: offset) }
                offset = position
                return Int(value)
            }
        }
        throw FormatError(.car, "a length of more than nine bytes", offset: offset)
    }
}
