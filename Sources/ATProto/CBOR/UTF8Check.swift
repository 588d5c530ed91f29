/// Whether bytes are well-formed UTF-8 (Unicode, table 3-7): no overlong forms, no surrogates, nothing above U+10FFFF.
enum UTF8Check {
    static func isValid(_ buffer: UnsafeRawBufferPointer, _ range: Range<Int>) -> Bool {
        var index = range.lowerBound
        let end = range.upperBound
        while index < end {
            if end - index >= 8, buffer.loadUnaligned(fromByteOffset: index, as: UInt64.self) & 0x8080_8080_8080_8080 == 0 {
                index += 8
                continue
            }
            let first = buffer[index]
            if first < 0x80 {
                index += 1
                continue
            }
            guard let length = sequenceLength(buffer, index, end) else { return false }
            index += length
        }
        return true
    }

    private static func sequenceLength(_ buffer: UnsafeRawBufferPointer, _ index: Int, _ end: Int) -> Int? {
        let first = buffer[index]
        let length: Int
        switch first {
        case 0xc2...0xdf: length = 2
        case 0xe0...0xef: length = 3
        case 0xf0...0xf4: length = 4
        default: return nil
        }
        guard end - index >= length else { return nil }
        for position in 1..<length where buffer[index + position] & 0xc0 != 0x80 { return nil }
        let second = buffer[index + 1]
        switch first {
        case 0xe0: return second >= 0xa0 ? length : nil
        case 0xed: return second < 0xa0 ? length : nil
        case 0xf0: return second >= 0x90 ? length : nil
        case 0xf4: return second < 0x90 ? length : nil
        default: return length
        }
    }
}
