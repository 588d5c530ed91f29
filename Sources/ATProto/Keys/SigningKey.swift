internal import Crypto

/// A secret key that signs commits and labels: for the simulator, for tests and for identities of one's own.
public struct SigningKey: Sendable, CustomStringConvertible {
    private enum Secret: Sendable {
        case k256([UInt8])
        case p256(P256.Signing.PrivateKey)
    }

    private let secret: Secret
    public let verificationKey: VerificationKey

    /// Takes a secret of 32 bytes; throws `key` where it is 0 or not below the curve's order.
    public init(_ curve: KeyCurve, secret: [UInt8]) throws(FormatError) {
        switch curve {
        case .k256:
            guard let key = Secp256k1.PublicKey(secret: secret) else { throw FormatError(.key, "not a secret of secp256k1") }
            self.secret = .k256(secret)
            verificationKey = VerificationKey(k256: key)
        case .p256:
            guard secret.count == 32, let key = try? P256.Signing.PrivateKey(rawRepresentation: secret) else {
                throw FormatError(.key, "not a secret of P-256")
            }
            self.secret = .p256(key)
            verificationKey = VerificationKey(p256: key.publicKey)
        }
    }

    public var curve: KeyCurve { verificationKey.curve }

    /// Never shows the secret.
    public var description: String { "SigningKey(\(verificationKey.didKey))" }

    /// The compact signature over the SHA-256 of `message`: 64 bytes, low S.
    ///
    /// A k256 signature is the same at each call (RFC 6979); of p256 each call gives another one. Throws `key` only where the library fails.
    public func sign(_ message: [UInt8]) throws(FormatError) -> [UInt8] {
        let digest = Digest(hashing: message)
        switch secret {
        case .k256(let secret):
            guard let signature = Secp256k1.sign(digest, secret: secret) else { throw FormatError(.key, "libsecp256k1 did not sign") }
            return signature
        case .p256(let key):
            guard let signature = try? key.signature(for: PrehashedDigest(digest)) else { throw FormatError(.key, "swift-crypto did not sign") }
            return curve.withLowS(Array(signature.rawRepresentation))
        }
    }
}
