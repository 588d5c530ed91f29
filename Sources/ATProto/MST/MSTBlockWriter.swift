/// Writes the block of a node into memory that its maker has measured: canonical DAG-CBOR, `{l, e: [{p, k, v, t}]}`.
///
/// Unsafe in that it writes through a pointer without comparing: the memory has ``nodeBytesMax``, and for each entry ``entryBytesMax`` and the
/// bytes of its key.
struct MSTBlockWriter {
    /// The map, the head of the entries, the two names and the left child, without entries.
    static let nodeBytesMax = 1 + 2 + 9 + 2 + linkBytes
    /// The map of four fields, their names, two heads, two links; without the key's own bytes.
    static let entryBytesMax = 1 + 4 * 2 + 9 + 9 + 2 * linkBytes
    private static let linkBytes = 5 + CID.binaryLength

    private let start: UnsafeMutableRawPointer
    private var cursor: UnsafeMutableRawPointer

    init?(_ memory: UnsafeMutableRawBufferPointer) {
        guard let base = memory.baseAddress, memory.count >= Self.nodeBytesMax else { return nil }
        start = base
        cursor = base
    }

    var count: Int { cursor - start }

    mutating func begin(entries: Int) {
        byte(0xa2)
        name("e")
        head(4, entries)
    }

    /// - Parameter prefix: how many bytes the key shares with the one before it in the node.
    mutating func entry(_ key: MSTEntryKey, prefix: Int, right: CID?, value: CID) {
        byte(0xa4)
        name("k")
        head(2, key.count - prefix)
        key.withBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            cursor.copyMemory(from: base + prefix, byteCount: bytes.count - prefix)
        }
        cursor += key.count - prefix
        name("p")
        head(0, prefix)
        name("t")
        link(right)
        name("v")
        link(value)
    }

    mutating func end(left: CID?) {
        name("l")
        link(left)
    }

    @inline(__always)
    private mutating func byte(_ value: UInt8) {
        cursor.storeBytes(of: value, as: UInt8.self)
        cursor += 1
    }

    @inline(__always)
    private mutating func name(_ character: Unicode.Scalar) {
        byte(0x61)
        byte(UInt8(ascii: character))
    }

    /// Major type and argument in the shortest form.
    private mutating func head(_ major: UInt8, _ value: Int) {
        let type = major << 5
        switch value {
        case 0..<24: byte(type | UInt8(value))
        case 24...0xff:
            byte(type | 24)
            byte(UInt8(value))
        case 0x100...0xffff:
            byte(type | 25)
            cursor.storeBytes(of: UInt16(value).bigEndian, as: UInt16.self)
            cursor += 2
        case 0x1_0000...0xffff_ffff:
            byte(type | 26)
            cursor.storeBytes(of: UInt32(value).bigEndian, as: UInt32.self)
            cursor += 4
        default:
            byte(type | 27)
            cursor.storeBytes(of: UInt64(value).bigEndian, as: UInt64.self)
            cursor += 8
        }
    }

    /// Tag 42, 37 bytes, the leading zero and the CID; null where there is none.
    private mutating func link(_ cid: CID?) {
        guard let cid else { return byte(0xf6) }
        cursor.storeBytes(of: UInt32(0x2558_2ad8).littleEndian, as: UInt32.self)
        (cursor + 4).storeBytes(of: 0, as: UInt8.self)
        cid.store(to: cursor + 5)
        cursor += Self.linkBytes
    }
}
