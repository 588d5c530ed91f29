/// Keys of the Merkle search tree, `collection/rkey` in ASCII.
public enum MSTKey {
    /// The layer of a key: how many pairs of zero bits its SHA-256 starts with, 0 to 128.
    public static func layer(of key: [UInt8]) -> Int { layer(of: Digest(hashing: key)) }

    public static func layer(of key: String) -> Int { layer(of: Array(key.utf8)) }

    private static func layer(of digest: Digest) -> Int {
        digest.withBytes { bytes in
            var zeros = 0
            for byte in bytes {
                zeros += byte.leadingZeroBitCount
                if byte != 0 { break }
            }
            return zeros / 2
        }
    }

    /// Whether a key may stand in a tree: one slash with something on both sides, letters, digits and `_ ~ - : .`, at most 1024 bytes.
    public static func isValid(_ key: [UInt8]) -> Bool {
        guard key.count <= Limits.mstKeyBytes, let first = key.first, let last = key.last else { return false }
        let slash = UInt8(ascii: "/")
        guard first != slash, last != slash else { return false }
        var slashes = 0
        for byte in key {
            if byte == slash { slashes += 1 } else if !isAllowed(byte) { return false }
        }
        return slashes == 1
    }

    // One bit for each character that is allowed, looked up since this runs over every key of every proof.
    private static func isAllowed(_ byte: UInt8) -> Bool {
        let bits: UInt64 = byte < 64 ? 0x07ff_6000_0000_0000 : 0x47ff_fffe_87ff_fffe
        return byte < 128 && bits >> UInt64(byte & 63) & 1 == 1
    }

    /// How many bytes two keys share at their start.
    public static func commonPrefix(_ a: [UInt8], _ b: [UInt8]) -> Int {
        let limit = min(a.count, b.count)
        var index = 0
        while index < limit, a[index] == b[index] { index += 1 }
        return index
    }

    /// Bytewise order; a key that starts another stands before it.
    static func precedes(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        let shared = commonPrefix(a, b)
        if shared == a.count { return b.count > shared }
        return shared < b.count && a[shared] < b[shared]
    }
}
