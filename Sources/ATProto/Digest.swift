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

    init(hashing bytes: UnsafeRawBufferPointer) {
        var hash = SHA256()
        hash.update(bufferPointer: bytes)
        self = hash.finalize().withUnsafeBytes { Digest(loading: $0, at: 0) }
    }

    /// Takes 32 bytes from `offset`; the caller has checked that they are there.
    init(loading buffer: UnsafeRawBufferPointer, at offset: Int) {
        a = buffer.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
        b = buffer.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self)
        c = buffer.loadUnaligned(fromByteOffset: offset + 16, as: UInt64.self)
        d = buffer.loadUnaligned(fromByteOffset: offset + 24, as: UInt64.self)
    }

    func withBytes<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R { withUnsafeBytes(of: self, body) }

    /// The 32 bytes.
    public var bytes: [UInt8] { withBytes { Array($0) } }

    public static func == (x: Self, y: Self) -> Bool { x.a == y.a && x.b == y.b && x.c == y.c && x.d == y.d }

    // The bytes are already a hash: one word of them tells digests apart.
    public func hash(into hasher: inout Hasher) { hasher.combine(a) }
}
