internal import Crypto

/// A digest that is computed already, in the form that swift-crypto takes.
struct PrehashedDigest: Crypto.Digest {
    static var byteCount: Int { 32 }
    private let digest: Digest

    init(_ digest: Digest) { self.digest = digest }

    var description: String { "SHA-256 digest" }

    func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R { try Swift.withUnsafeBytes(of: digest, body) }
    func makeIterator() -> Array<UInt8>.Iterator { digest.bytes.makeIterator() }
}
