internal import Crypto

/// A public key that verifies commits and labels, parsed once.
///
/// A signature is 64 bytes (R and S, big-endian) over the SHA-256 of the message, S in the lower half; everything else is refused,
/// DER too. Source: the specification of cryptography.
public struct VerificationKey: Sendable, Hashable, CustomStringConvertible {
    private enum Parsed: Sendable {
        case k256(Secp256k1.PublicKey)
        case p256(P256.Signing.PublicKey)
    }

    private let parsed: Parsed

    public var curve: KeyCurve {
        switch parsed {
        case .k256: .k256
        case .p256: .p256
        }
    }

    /// The compressed point, 33 bytes; made anew each time, since workers keep tens of thousands of keys and seldom need it.
    public var compressed: [UInt8] {
        switch parsed {
        case .k256(let key): key.compressed
        case .p256(let key): Array(key.compressedRepresentation)
        }
    }

    /// Reads a point of 33 (compressed) or 65 bytes; throws `key` where it is not on the curve.
    public init(_ curve: KeyCurve, point: [UInt8]) throws(FormatError) {
        guard point.count == 33 || point.count == 65 else { throw FormatError(.key, "a public key has 33 or 65 bytes") }
        switch curve {
        case .k256:
            guard point[0] == 2 || point[0] == 3 || point[0] == 4, let key = Secp256k1.PublicKey(point) else {
                throw FormatError(.key, "not a point of secp256k1")
            }
            parsed = .k256(key)
        case .p256:
            do {
                let key =
                    point.count == 33
                    ? try P256.Signing.PublicKey(compressedRepresentation: point) : try P256.Signing.PublicKey(x963Representation: point)
                parsed = .p256(key)
            } catch {
                throw FormatError(.key, "not a point of P-256")
            }
        }
    }

    /// Reads a multikey: `z`, base58 of the multicodec prefix and the compressed point (`zQ3sh…` k256, `zDn…` p256).
    public init(multikey: some StringProtocol) throws(FormatError) { try self.init(multikey: multikey.utf8) }

    /// By bytes: of a text's characters the first may be more than the `z`, with marks that combine with it.
    private init(multikey: some Collection<UInt8>) throws(FormatError) {
        guard multikey.first == UInt8(ascii: "z"), let bytes = Base58.decode(multikey.dropFirst()) else {
            throw FormatError(.key, "a multikey is z and base58")
        }
        guard bytes.count == 35, let curve = KeyCurve.allCases.first(where: { bytes.starts(with: $0.multicodec) }) else {
            throw FormatError(.key, "a multikey of another kind than k256 and p256")
        }
        try self.init(curve, point: Array(bytes.dropFirst(2)))
    }

    /// Reads `did:key:` and a multikey.
    public init(didKey: some StringProtocol) throws(FormatError) {
        let prefix = "did:key:".utf8
        guard didKey.utf8.starts(with: prefix) else { throw FormatError(.key, "not a did:key") }
        try self.init(multikey: didKey.utf8.dropFirst(prefix.count))
    }

    /// Reads the `publicKeyMultibase` of the legacy verification methods: `z` and base58 of the bare point, whose curve the method's type names.
    public init(legacyMultibase text: some StringProtocol, curve: KeyCurve) throws(FormatError) {
        guard text.utf8.first == UInt8(ascii: "z"), let point = Base58.decode(text.utf8.dropFirst()) else {
            throw FormatError(.key, "a key in multibase is z and base58")
        }
        try self.init(curve, point: point)
    }

    init(k256 key: Secp256k1.PublicKey) { parsed = .k256(key) }

    init(p256 key: P256.Signing.PublicKey) { parsed = .p256(key) }

    /// The multikey, as a DID document has it.
    public var multikey: String { "z" + Base58.encode(curve.multicodec + compressed) }

    /// The key as `did:key`.
    public var didKey: String { "did:key:" + multikey }

    public var description: String { didKey }

    /// Whether `signature` is this key's over `message`.
    public func verify(signature: [UInt8], message: [UInt8]) -> Bool { verify(signature: signature, digest: Digest(hashing: message)) }

    /// Whether `signature` is this key's over a message with this SHA-256.
    public func verify(signature: [UInt8], digest: Digest) -> Bool {
        guard signature.count == 64, curve.isLowS(signature) else { return false }
        switch parsed {
        case .k256(let key): return key.verify(signature, digest)
        case .p256(let key):
            guard let parsed = try? P256.Signing.ECDSASignature(rawRepresentation: signature) else { return false }
            return key.isValidSignature(parsed, for: PrehashedDigest(digest))
        }
    }

    public static func == (a: Self, b: Self) -> Bool { a.curve == b.curve && a.compressed == b.compressed }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(curve)
        hasher.combine(compressed)
    }
}
