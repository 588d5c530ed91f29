/// Memory of a fixed size that JSON is written to. What has no room is left out, and remembered: the writer is run again with more.
///
/// Unsafe only in that it writes through a pointer: each write is compared with the room that is left, and whoever makes one keeps the memory
/// alive while it is used.
struct JSONOutput {
    private let base: UnsafeMutableRawPointer?
    private let capacity: Int
    private(set) var count = 0
    private(set) var isTooSmall = false

    init(_ memory: UnsafeMutableRawBufferPointer) {
        base = memory.baseAddress
        capacity = memory.count
    }

    /// Takes room for `length` bytes; nil where there is none.
    @inline(__always)
    private mutating func take(_ length: Int) -> UnsafeMutableRawPointer? {
        guard let base, capacity - count >= length else {
            isTooSmall = true
            return nil
        }
        defer { count += length }
        return base + count
    }

    @inline(__always)
    mutating func byte(_ value: UInt8) { take(1)?.storeBytes(of: value, as: UInt8.self) }

    @inline(__always)
    mutating func character(_ value: Unicode.Scalar) { byte(UInt8(ascii: value)) }

    @inline(__always)
    mutating func ascii(_ text: StaticString) { take(text.utf8CodeUnitCount)?.copyMemory(from: text.utf8Start, byteCount: text.utf8CodeUnitCount) }

    @inline(__always)
    mutating func copy(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress else { return }
        take(bytes.count)?.copyMemory(from: source, byteCount: bytes.count)
    }

    mutating func base32(_ bytes: UnsafeRawBufferPointer) {
        guard let target = take((bytes.count * 8 + 4) / 5) else { return }
        // The room is that of the characters exactly: the last group writes only those it has.
        _ = Base32.encode(bytes, to: target)
    }

    mutating func base64(_ bytes: UnsafeRawBufferPointer) {
        guard let target = take((bytes.count * 4 + 2) / 3) else { return }
        Base64.encode(bytes, to: target)
    }

    mutating func integer(_ value: Int64) {
        if value < 0 { character("-") }
        var digits = 1
        var rest = value.magnitude / 10
        while rest > 0 {
            digits += 1
            rest /= 10
        }
        guard let target = take(digits) else { return }
        rest = value.magnitude
        for position in stride(from: digits - 1, through: 0, by: -1) {
            target.storeBytes(of: UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10), toByteOffset: position, as: UInt8.self)
            rest /= 10
        }
    }
}
