/// Writes deterministic DAG-CBOR: definite lengths and shortest integers always; the caller gives map keys in canonical order.
///
/// Canonical order is by length in bytes, then bytewise; ``CBORValue`` sorts for callers that cannot know it.
public struct CBORWriter: Sendable {
    public private(set) var bytes: [UInt8]

    public init(capacity: Int = 256) {
        bytes = []
        bytes.reserveCapacity(capacity)
    }

    /// Empties the buffer and keeps its memory.
    mutating func reset() { bytes.removeAll(keepingCapacity: true) }

    public mutating func map(count: Int) { head(5, UInt64(count)) }
    public mutating func array(count: Int) { head(4, UInt64(count)) }
    public mutating func null() { bytes.append(0xf6) }
    public mutating func bool(_ value: Bool) { bytes.append(value ? 0xf5 : 0xf4) }

    public mutating func integer(_ value: Int64) {
        if value >= 0 { head(0, UInt64(value)) } else { head(1, UInt64(bitPattern: ~value)) }
    }

    /// Always 64 bits wide; a value that is not finite has no place in DAG-CBOR and is the caller's fault.
    public mutating func float(_ value: Double) {
        precondition(value.isFinite, "DAG-CBOR has no infinity and no NaN")
        bytes.append(0xfb)
        bigEndian(value.bitPattern, byteCount: 8)
    }

    public mutating func text(_ value: String) {
        var value = value
        value.withUTF8 { utf8 in
            head(3, UInt64(utf8.count))
            bytes.append(contentsOf: utf8)
        }
    }

    public mutating func byteString(_ value: some Collection<UInt8>) {
        head(2, UInt64(value.count))
        bytes.append(contentsOf: value)
    }

    /// Tag 42 around the binary form with its leading zero.
    public mutating func link(_ cid: CID) {
        bytes.append(0xd8)
        bytes.append(42)
        head(2, UInt64(CID.binaryLength + 1))
        bytes.append(0)
        cid.append(to: &bytes)
    }

    /// A link, or null where there is none.
    public mutating func link(orNull cid: CID?) {
        if let cid { link(cid) } else { null() }
    }

    /// Bytes that are DAG-CBOR already.
    public mutating func encoded(_ item: some Collection<UInt8>) { bytes.append(contentsOf: item) }

    private mutating func head(_ major: UInt8, _ value: UInt64) {
        let type = major << 5
        switch value {
        case 0..<24: bytes.append(type | UInt8(value))
        case 24...0xff:
            bytes.append(type | 24)
            bytes.append(UInt8(value))
        case 0x100...0xffff:
            bytes.append(type | 25)
            bigEndian(value, byteCount: 2)
        case 0x1_0000...0xffff_ffff:
            bytes.append(type | 26)
            bigEndian(value, byteCount: 4)
        default:
            bytes.append(type | 27)
            bigEndian(value, byteCount: 8)
        }
    }

    private mutating func bigEndian(_ value: UInt64, byteCount: Int) {
        for index in stride(from: byteCount - 1, through: 0, by: -1) {
            bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(index * 8)))
        }
    }
}
