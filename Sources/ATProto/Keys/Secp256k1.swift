internal import CSecp256k1

/// libsecp256k1 behind values: no pointer leaves this file.
enum Secp256k1 {
    /// A parsed public key, the library's own 64 bytes; it holds no pointer.
    struct PublicKey: Sendable {
        fileprivate var raw = secp256k1_pubkey()

        /// Parses 33 or 65 bytes; nil where they are no point of the curve.
        init?(_ bytes: [UInt8]) {
            guard secp256k1_ec_pubkey_parse(context, &raw, bytes, bytes.count) == 1 else { return nil }
        }

        /// The public key of a secret; nil where the secret is 0 or not below the order.
        init?(secret: [UInt8]) {
            guard secret.count == 32, secp256k1_ec_pubkey_create(context, &raw, secret) == 1 else { return nil }
        }

        /// The compressed form, 33 bytes.
        var compressed: [UInt8] {
            var raw = raw
            var bytes = [UInt8](repeating: 0, count: 33)
            var count = bytes.count
            _ = secp256k1_ec_pubkey_serialize(context, &bytes, &count, &raw, UInt32(SECP256K1_EC_COMPRESSED))
            return bytes
        }

        /// The library itself refuses a high S.
        func verify(_ signature: [UInt8], _ digest: Digest) -> Bool {
            guard signature.count == 64 else { return false }
            var parsed = secp256k1_ecdsa_signature()
            guard secp256k1_ecdsa_signature_parse_compact(context, &parsed, signature) == 1 else { return false }
            var raw = raw
            return digest.withBytes { bytes in
                guard let base = bytes.bindMemory(to: UInt8.self).baseAddress else { return false }
                return secp256k1_ecdsa_verify(context, &parsed, base, &raw) == 1
            }
        }
    }

    /// Signs with a nonce by RFC 6979, low S; nil where the secret is none.
    static func sign(_ digest: Digest, secret: [UInt8]) -> [UInt8]? {
        guard secret.count == 32 else { return nil }
        var signature = secp256k1_ecdsa_signature()
        guard secp256k1_ecdsa_sign(context, &signature, digest.bytes, secret, nil, nil) == 1 else { return nil }
        var bytes = [UInt8](repeating: 0, count: 64)
        return secp256k1_ecdsa_signature_serialize_compact(context, &bytes, &signature) == 1 ? bytes : nil
    }

    // Made and blinded once, before anybody has it (a static is initialised by one thread), and never freed.
    // Unsafe only because it is a pointer: the library allows concurrent use of a context that nobody changes.
    nonisolated(unsafe) private static let context: OpaquePointer = {
        guard let context = secp256k1_context_create(UInt32(SECP256K1_CONTEXT_NONE)) else {
            preconditionFailure("libsecp256k1 could not allocate its context")
        }
        var generator = SystemRandomNumberGenerator()
        let seed = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        _ = secp256k1_context_randomize(context, seed)
        return context
    }()
}
