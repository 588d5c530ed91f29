/// Looks at DAG-CBOR without reading anything out of it.
public enum DAGCBOR {
    /// Whether a range of `bytes` is exactly one value in canonical form, walked with all checks of a strict reader.
    public static func isCanonical(_ range: Range<Int>, of bytes: [UInt8]) -> Bool {
        guard range.lowerBound >= 0, range.upperBound <= bytes.count else { return false }
        return bytes.withUnsafeBytes { isCanonical(range, in: $0) }
    }

    static func isCanonical(_ range: Range<Int>, in buffer: UnsafeRawBufferPointer) -> Bool {
        var reader = CBORReader(buffer, range: range)
        do throws(FormatError) { try reader.skip() } catch { return false }
        return reader.isAtEnd
    }
}
