internal import CSHA256
internal import Crypto

/// A SHA-256 digest, stored inline.
public struct Digest: Hashable, Sendable {
    // The words hold the bytes in memory order: they compare and copy as they are, and have no meaning as numbers.
    private var a: UInt64 = 0
    private var b: UInt64 = 0
    private var c: UInt64 = 0
    private var d: UInt64 = 0

    public static let byteCount = 32

    /// The digest of `bytes`.
    public init(hashing bytes: [UInt8]) { self = bytes.withUnsafeBytes { Digest(hashing: $0) } }

    // A class around each digest costs swift-crypto as much as the digest of a short key itself: where the processor has SHA
    // instructions, they are called without it. Both are compared in the tests.
    private static let hasInstructions = csha256_is_available()

    /// The same of bytes that are lent.
    @inline(__always)
    package init(hashing bytes: UnsafeRawBufferPointer) {
        self.init()
        guard Self.hasInstructions else {
            self = Digest(portable: bytes)
            return
        }
        withUnsafeMutableBytes(of: &self) { own in
            guard let base = own.bindMemory(to: UInt8.self).baseAddress else { return }
            csha256_digest(bytes.baseAddress, bytes.count, base)
        }
    }

    /// All zeros.
    private init() {}

    init(portable bytes: UnsafeRawBufferPointer) {
        var hash = SHA256()
        hash.update(bufferPointer: bytes)
        self = hash.finalize().withUnsafeBytes { Digest(loading: $0, at: 0) }
    }

    /// The digest of `bytes` by the code that runs where the processor has no SHA instructions.
    public static func portable(_ bytes: [UInt8]) -> Digest { bytes.withUnsafeBytes { Digest(portable: $0) } }

    /// Takes 32 bytes from `offset`; the caller has checked that they are there.
    @inline(__always)
    init(loading buffer: UnsafeRawBufferPointer, at offset: Int) {
        a = buffer.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
        b = buffer.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self)
        c = buffer.loadUnaligned(fromByteOffset: offset + 16, as: UInt64.self)
        d = buffer.loadUnaligned(fromByteOffset: offset + 24, as: UInt64.self)
    }

    /// Writes the 32 bytes to `target`; the caller has checked that there is room.
    @inline(__always)
    func store(to target: UnsafeMutableRawPointer) {
        target.storeBytes(of: a, as: UInt64.self)
        target.storeBytes(of: b, toByteOffset: 8, as: UInt64.self)
        target.storeBytes(of: c, toByteOffset: 16, as: UInt64.self)
        target.storeBytes(of: d, toByteOffset: 24, as: UInt64.self)
    }

    /// The first eight bytes as a number; digests are in the order of theirs.
    @inline(__always)
    var prefix: UInt64 { UInt64(bigEndian: a) }

    /// How many zero bits stand before the first one.
    var leadingZeroBits: Int {
        if a != 0 { return UInt64(bigEndian: a).leadingZeroBitCount }
        if b != 0 { return 64 + UInt64(bigEndian: b).leadingZeroBitCount }
        if c != 0 { return 128 + UInt64(bigEndian: c).leadingZeroBitCount }
        return 192 + UInt64(bigEndian: d).leadingZeroBitCount
    }

    func withBytes<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R { withUnsafeBytes(of: self, body) }

    /// The 32 bytes.
    public var bytes: [UInt8] { withBytes { Array($0) } }

    public static func == (x: Self, y: Self) -> Bool { x.a == y.a && x.b == y.b && x.c == y.c && x.d == y.d }

    // The bytes are already a hash: one word of them tells digests apart.
    public func hash(into hasher: inout Hasher) { hasher.combine(a) }
}
