/// Keys of the Merkle search tree, `collection/rkey` in ASCII.
public enum MSTKey {
    /// The layer of a key: how many pairs of zero bits its SHA-256 starts with, 0 to 128.
    public static func layer(of key: [UInt8]) -> Int { key.withUnsafeBytes { layer(of: $0) } }

    public static func layer(of key: String) -> Int { layer(of: Array(key.utf8)) }

    static func layer(of key: UnsafeRawBufferPointer) -> Int { Digest(hashing: key).leadingZeroBits / 2 }

    /// Whether a key may stand in a tree: one slash with something on both sides, letters, digits and `_ ~ - : .`, at most 1024 bytes.
    public static func isValid(_ key: [UInt8]) -> Bool {
        key.count <= Limits.mstKeyBytes && key.withUnsafeBytes { slash(of: $0, after: 0, slash: nil) } != nil
    }

    /// Where the slash of a valid key stands that is known up to `prefix`, with `slash` of the key that the prefix is from, and goes on with
    /// `rest`; nil where it is not valid. Its length is the caller's to check.
    @inline(__always)
    static func slash(of rest: UnsafeRawBufferPointer, after prefix: Int, slash known: Int?) -> Int? {
        var slash = known ?? prefix
        if slash >= prefix { slash = -1 }
        for index in 0..<rest.count where !isAllowed(rest[index]) {
            guard rest[index] == UInt8(ascii: "/"), slash < 0 else { return nil }
            slash = prefix + index
        }
        return slash > 0 && slash < prefix + rest.count - 1 ? slash : nil
    }

    // One bit for each character that is allowed, looked up since this runs over every key of every proof.
    @inline(__always)
    private static func isAllowed(_ byte: UInt8) -> Bool {
        let bits: UInt64 = byte < 64 ? 0x07ff_6000_0000_0000 : 0x47ff_fffe_87ff_fffe
        return byte < 128 && bits >> UInt64(byte & 63) & 1 == 1
    }

    /// How many bytes two keys share at their start.
    public static func commonPrefix(_ a: [UInt8], _ b: [UInt8]) -> Int {
        a.withUnsafeBytes { a in b.withUnsafeBytes { commonPrefix(a, $0) } }
    }

    static func commonPrefix(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Int {
        let limit = min(a.count, b.count)
        var index = 0
        while limit - index >= 8 {
            let difference = a.loadUnaligned(fromByteOffset: index, as: UInt64.self) ^ b.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            if difference != 0 { return index + UInt64(littleEndian: difference).trailingZeroBitCount / 8 }
            index += 8
        }
        while index < limit, a[index] == b[index] { index += 1 }
        return index
    }

    /// Bytewise order; a key that starts another stands before it.
    static func precedes(_ a: [UInt8], _ b: [UInt8]) -> Bool { a.withUnsafeBytes { a in b.withUnsafeBytes { precedes(a, $0) } } }

    static func precedes(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
        let shared = commonPrefix(a, b)
        if shared == a.count { return b.count > shared }
        return shared < b.count && a[shared] < b[shared]
    }
}
