/// A strict cursor over DAG-CBOR in a buffer that somebody else keeps alive.
///
/// Refused: indefinite lengths, integers that are not shortest, floats of 16 and 32 bits or not finite, `undefined` and other simple
/// values, any tag but 42, text that is not UTF-8, map keys that are no text or not in canonical order. Lengths are compared with what is
/// left in the buffer before anything is reserved for them. Results are ranges into the buffer: nothing is copied.
struct CBORReader {
    enum Kind { case integer, bytes, text, array, map, link, bool, null, float }

    let buffer: UnsafeRawBufferPointer
    private(set) var offset: Int
    let end: Int

    /// Reads `range` of `buffer`; the caller guarantees that it lies inside.
    init(_ buffer: UnsafeRawBufferPointer, range: Range<Int>) {
        self.buffer = buffer
        offset = range.lowerBound
        end = range.upperBound
    }

    var isAtEnd: Bool { offset == end }

    @inline(never)
    func failure(_ message: StaticString) -> FormatError { FormatError(.cbor, "\(message)", offset: offset) }

    /// The kind of the next item, without reading it.
    @inline(__always)
    func kind() throws(FormatError) -> Kind {
        guard offset < end else { throw failure("ends too early") }
        let first = buffer[offset]
        switch first >> 5 {
        case 0, 1: return .integer
        case 2: return .bytes
        case 3: return .text
        case 4: return .array
        case 5: return .map
        case 6: return .link
        default:
            switch first {
            case 0xf4, 0xf5: return .bool
            case 0xf6: return .null
            case 0xfb: return .float
            default: throw failure("a simple value or float that DAG-CBOR does not have")
            }
        }
    }

    /// Major type and argument of the next item.
    @inline(__always)
    private mutating func head() throws(FormatError) -> (major: UInt8, value: UInt64) {
        guard offset < end else { throw failure("ends too early") }
        let first = buffer[offset]
        let info = first & 31
        if info < 24 {
            offset += 1
            return (first >> 5, UInt64(info))
        }
        // Keys, short texts and digests: one byte more.
        if info == 24, end - offset > 1, buffer[offset + 1] >= 24 {
            defer { offset += 2 }
            return (first >> 5, UInt64(buffer[offset + 1]))
        }
        return (first >> 5, try longArgument(info))
    }

    @inline(never)
    private mutating func longArgument(_ info: UInt8) throws(FormatError) -> UInt64 {
        guard info < 28 else { throw failure("an indefinite or reserved length") }
        let width = 1 << Int(info - 24)
        guard end - offset > width else { throw failure("ends too early") }
        var value: UInt64 = 0
        for index in 1...width { value = value << 8 | UInt64(buffer[offset + index]) }
        let shortest: Bool
        switch width {
        case 1: shortest = value >= 24
        case 2: shortest = value > 0xff
        case 4: shortest = value > 0xffff
        default: shortest = value > 0xffff_ffff
        }
        guard shortest else { throw failure("an integer or length that is not in its shortest form") }
        offset += width + 1
        return value
    }

    @inline(__always)
    private mutating func length(_ major: UInt8, _ what: StaticString) throws(FormatError) -> Int {
        let start = offset
        let head = try head()
        guard head.major == major else { throw FormatError(.cbor, "expected \(what)", offset: start) }
        guard head.value <= UInt64(end - offset) else { throw FormatError(.cbor, "\(what) longer than what is left", offset: start) }
        return Int(head.value)
    }

    /// A signed integer of 64 bits; what does not fit is refused.
    mutating func integer() throws(FormatError) -> Int64 {
        let start = offset
        let head = try head()
        guard head.major < 2 else { throw FormatError(.cbor, "expected an integer", offset: start) }
        guard head.value <= UInt64(Int64.max) else { throw FormatError(.cbor, "an integer beyond 64 bits", offset: start) }
        let value = Int64(head.value)
        return head.major == 0 ? value : ~value
    }

    @inline(__always)
    mutating func byteString() throws(FormatError) -> Range<Int> {
        let count = try length(2, "bytes")
        defer { offset += count }
        return offset..<(offset + count)
    }

    /// The range of a string, checked to be UTF-8.
    mutating func text() throws(FormatError) -> Range<Int> {
        let count = try length(3, "text")
        let range = offset..<(offset + count)
        guard UTF8Check.isValid(buffer, range) else { throw failure("text that is not UTF-8") }
        offset = range.upperBound
        return range
    }

    /// The number of elements, at most the bytes that are left.
    mutating func arrayCount() throws(FormatError) -> Int { try length(4, "an array") }

    /// The number of fields, at most half the bytes that are left.
    mutating func mapCount() throws(FormatError) -> Int {
        let count = try length(5, "a map")
        guard count <= (end - offset) / 2 else { throw failure("a map longer than what is left") }
        return count
    }

    /// Passes over a key of one character where it is the next one; otherwise reads what is there as a key, and gives false.
    @inline(__always)
    mutating func skipKey(_ name: Unicode.Scalar) throws(FormatError) -> Bool {
        if end - offset >= 2, buffer[offset] == 0x61, buffer[offset + 1] == UInt8(ascii: name) {
            offset += 2
            return true
        }
        _ = try text()
        return false
    }

    /// The next key of a map, in canonical order after the one before.
    mutating func key(_ order: inout CBORKeyOrder) throws(FormatError) -> Range<Int> {
        let range = try text()
        guard order.accepts(range, in: buffer) else {
            throw FormatError(.cbor, "map keys that are not in canonical order", offset: range.lowerBound)
        }
        return range
    }

    mutating func bool() throws(FormatError) -> Bool {
        guard offset < end, buffer[offset] == 0xf4 || buffer[offset] == 0xf5 else { throw failure("expected true or false") }
        defer { offset += 1 }
        return buffer[offset] == 0xf5
    }

    mutating func null() throws(FormatError) {
        guard offset < end, buffer[offset] == 0xf6 else { throw failure("expected null") }
        offset += 1
    }

    /// Reads a null if the next item is one.
    mutating func nullIfPresent() -> Bool {
        guard offset < end, buffer[offset] == 0xf6 else { return false }
        offset += 1
        return true
    }

    mutating func float() throws(FormatError) -> Double {
        guard end - offset >= 9, buffer[offset] == 0xfb else { throw failure("expected a float of 64 bits") }
        let value = Double(bitPattern: UInt64(bigEndian: buffer.loadUnaligned(fromByteOffset: offset + 1, as: UInt64.self)))
        guard value.isFinite else { throw failure("a float that is not finite") }
        offset += 9
        return value
    }

    /// A CID that this module can hold: dag-cbor or raw, SHA-256.
    @inline(__always)
    mutating func link() throws(FormatError) -> CID {
        let start = offset
        if let range = plainLink(), let cid = CID(loading: buffer, at: range.lowerBound) { return cid }
        return try otherLink(from: start)
    }

    /// Where the 36 bytes of such a link lie; nil where it is null.
    @inline(__always)
    mutating func linkPlaceOrNull() throws(FormatError) -> Int? { nullIfPresent() ? nil : try linkPlace() }

    /// Where the 36 bytes of such a link lie.
    @inline(__always)
    mutating func linkPlace() throws(FormatError) -> Int {
        let start = offset
        if let range = plainLink() { return range.lowerBound }
        _ = try otherLink(from: start)
        return start + Self.linkHeadBytes
    }

    /// Tag, head of a byte string of 37 bytes, leading zero.
    private static let linkHeadBytes = 5

    /// Reads a link to a dag-cbor block with SHA-256, as nearly all are, by comparing its first nine bytes at once; nil for all others.
    @inline(__always)
    private mutating func plainLink() -> Range<Int>? {
        guard end - offset >= Self.linkHeadBytes + CID.binaryLength,
            UInt64(littleEndian: buffer.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) == 0x1271_0100_2558_2ad8, buffer[offset + 8] == 0x20
        else { return nil }
        let start = offset + Self.linkHeadBytes
        offset = start + CID.binaryLength
        return start..<offset
    }

    @inline(never)
    private mutating func otherLink(from start: Int) throws(FormatError) -> CID {
        let range = try linkBytes()
        guard range.count == CID.binaryLength, let cid = CID(loading: buffer, at: range.lowerBound) else {
            throw FormatError(.cid, "a link that is no CIDv1 of dag-cbor or raw with SHA-256", offset: start)
        }
        return cid
    }

    mutating func linkOrNull() throws(FormatError) -> CID? { nullIfPresent() ? nil : try link() }

    /// The bytes of a link after the leading zero, whatever kind of CID they are.
    mutating func linkBytes() throws(FormatError) -> Range<Int> {
        guard end - offset >= 2, buffer[offset] == 0xd8, buffer[offset + 1] == 42 else { throw failure("expected a link (tag 42)") }
        offset += 2
        let range = try byteString()
        guard range.count > 1, buffer[range.lowerBound] == 0 else {
            throw FormatError(.cid, "a link without its leading zero", offset: range.lowerBound)
        }
        return range.dropFirst()
    }

    /// Passes over one item with all checks of this type.
    mutating func skip(nesting: Int = Limits.nesting) throws(FormatError) {
        guard nesting > 0 else { throw failure("nested too deeply") }
        switch try kind() {
        case .integer: _ = try integer()
        case .bytes:
            guard nesting > 1 else { throw failure("nested too deeply") }
            _ = try byteString()
        case .text: _ = try text()
        case .link:
            guard nesting > 1 else { throw failure("nested too deeply") }
            _ = try linkBytes()
        case .bool, .null: offset += 1
        case .float: _ = try float()
        case .array:
            for _ in 0..<(try arrayCount()) { try skip(nesting: nesting - 1) }
        case .map:
            var order = CBORKeyOrder()
            for _ in 0..<(try mapCount()) {
                _ = try key(&order)
                try skip(nesting: nesting - 1)
            }
        }
    }

    // MARK: - What ranges hold

    /// A range that this reader gave.
    @inline(__always)
    func bytes(_ range: Range<Int>) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: buffer.baseAddress.map { $0 + range.lowerBound }, count: range.count)
    }

    func string(_ range: Range<Int>) -> String { String(decoding: bytes(range), as: UTF8.self) }
    func array(_ range: Range<Int>) -> [UInt8] { Array(bytes(range)) }

    @inline(__always)
    func equals(_ range: Range<Int>, _ text: StaticString) -> Bool {
        guard range.count == text.utf8CodeUnitCount else { return false }
        for index in 0..<text.utf8CodeUnitCount where buffer[range.lowerBound + index] != text.utf8Start[index] { return false }
        return true
    }
}

/// Lends all of `bytes` to a reader.
func reading<R>(_ bytes: [UInt8], _ body: (inout CBORReader) throws(FormatError) -> R) throws(FormatError) -> R {
    try bytes.withRaw { buffer throws(FormatError) in try reading(buffer, body) }
}

/// The same of bytes that the caller keeps alive.
func reading<R>(_ bytes: UnsafeRawBufferPointer, _ body: (inout CBORReader) throws(FormatError) -> R) throws(FormatError) -> R {
    var reader = CBORReader(bytes, range: 0..<bytes.count)
    return try body(&reader)
}
