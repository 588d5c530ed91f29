import ATProto
import Testing

@Suite("Signatures")
struct SignatureTests {
    @Test("each published signature is valid or not as its vector says", .enabled(if: Conformance.isPresent, Conformance.absent))
    func vectors() throws {
        let vectors = try Conformance.objects("crypto/signature-fixtures.json")
        #expect(vectors.count == 6)
        for vector in vectors {
            let comment = vector["comment"]?.string ?? ""
            let message = try base64(try #require(vector["messageBase64"]?.string))
            let signature = try base64(try #require(vector["signatureBase64"]?.string))
            let key = try VerificationKey(didKey: try #require(vector["publicKeyDid"]?.string))
            #expect(.bool(key.verify(signature: signature, message: message)) == vector["validSignature"], "\(comment)")
            let legacy = try VerificationKey(legacyMultibase: try #require(vector["publicKeyMultibase"]?.string), curve: key.curve)
            #expect(legacy == key, "\(comment)")
            #expect(legacy.verify(signature: signature, message: message) == key.verify(signature: signature, message: message), "\(comment)")
        }
    }

    @Test(
        "a published secret gives its published did:key", .enabled(if: Conformance.isPresent, Conformance.absent), arguments: [KeyCurve.k256, .p256])
    func publishedKeys(curve: KeyCurve) throws {
        let vectors = try Conformance.objects("crypto/w3c_didkey_\(curve == .k256 ? "K256" : "P256").json")
        #expect(!vectors.isEmpty)
        for vector in vectors {
            let secret: [UInt8]
            if let text = vector["privateKeyBytesHex"]?.string {
                secret = stride(from: 0, to: text.count, by: 2).compactMap { UInt8(text.dropFirst($0).prefix(2), radix: 16) }
            } else {
                secret = try base58(try #require(vector["privateKeyBytesBase58"]?.string))
            }
            let key = try SigningKey(curve, secret: secret)
            #expect(key.verificationKey.didKey == vector["publicDidKey"]?.string)
            #expect(try VerificationKey(didKey: key.verificationKey.didKey) == key.verificationKey)
        }
    }

    @Test("what a key signs verifies, is low-S, and fails for another message, key or bit", arguments: [KeyCurve.k256, .p256])
    func roundTrip(curve: KeyCurve) throws {
        var random = SeededGenerator(seed: 11)
        let secret = (0..<32).map { _ in UInt8.random(in: 1...200, using: &random) }
        let key = try SigningKey(curve, secret: secret)
        let other = try SigningKey(curve, secret: secret.reversed())
        for number in 0..<40 {
            let message = Array("message \(number)".utf8)
            let signature = try key.sign(message)
            #expect(signature.count == 64)
            #expect(signature[32] <= 0x7f)
            #expect(key.verificationKey.verify(signature: signature, message: message))
            #expect(!key.verificationKey.verify(signature: signature, message: message + [0]))
            #expect(!other.verificationKey.verify(signature: signature, message: message))
            var changed = signature
            changed[number % 64] ^= 1
            #expect(!key.verificationKey.verify(signature: changed, message: message))
        }
    }

    @Test("a key's text is compared byte for byte: a mark behind its prefix is no part of it", arguments: KeyCurve.allCases)
    func marks(curve: KeyCurve) throws {
        let key = try SigningKey(curve, secret: [UInt8](repeating: 7, count: 32)).verificationKey
        #expect(try VerificationKey(multikey: key.multikey) == key)
        let rest = key.multikey.dropFirst()
        for text in ["z\u{301}\(rest)", "\u{301}z\(rest)", "\(key.multikey)\u{301}"] {
            #expect(throws: FormatError.self) { try VerificationKey(multikey: text) }
            #expect(throws: FormatError.self) { try VerificationKey(didKey: "did:key:\(text)") }
            #expect(throws: FormatError.self) { try VerificationKey(legacyMultibase: text, curve: curve) }
        }
    }

    @Test("secrets and points that are none are refused", arguments: [KeyCurve.k256, .p256])
    func impossibleKeys(curve: KeyCurve) {
        #expect(throws: FormatError.self) { try SigningKey(curve, secret: [UInt8](repeating: 0, count: 32)) }
        #expect(throws: FormatError.self) { try SigningKey(curve, secret: [UInt8](repeating: 0xff, count: 32)) }
        #expect(throws: FormatError.self) { try SigningKey(curve, secret: [1, 2, 3]) }
        #expect(throws: FormatError.self) { try VerificationKey(curve, point: [2] + [UInt8](repeating: 0xff, count: 32)) }
        #expect(throws: FormatError.self) { try VerificationKey(curve, point: []) }
    }

    @Test(
        "a did:key of another kind is refused",
        arguments: ["did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK", "did:key:", "did:plc:abc", "zQ3"])
    func otherKeys(text: String) {
        #expect(throws: FormatError.self) { try VerificationKey(didKey: text) }
    }

    private func base58(_ text: String) throws -> [UInt8] {
        let alphabet = Array("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz")
        var bytes: [UInt8] = []
        for character in text {
            var carry = try #require(alphabet.firstIndex(of: character))
            for index in bytes.indices.reversed() {
                carry += Int(bytes[index]) * 58
                bytes[index] = UInt8(carry & 255)
                carry >>= 8
            }
            if carry > 0 { bytes.insert(UInt8(carry), at: 0) }
        }
        return bytes
    }
}
