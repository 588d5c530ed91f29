import Events
import TestSupport
import Testing

@testable import ATProto

@Suite("Strangers' identifiers and keys")
struct FuzzTextTests {
    private func text(_ bytes: [UInt8]) -> String? { String(validating: bytes, as: UTF8.self) }

    @Test("an identifier is one or is none, within its bounds, and what is parsed writes itself as it was")
    func identifiers() throws {
        let corpus = try FuzzCorpus.texts(
            "did_syntax_valid", "nsid_syntax_valid", "tid_syntax_valid", "recordkey_syntax_valid", "cid_syntax_valid", "atidentifier_syntax_valid",
            "did_syntax_invalid", "nsid_syntax_invalid",
            own: [
                "did:plc:ewvi7nxzyoun6zhxrhs64oiz", "did:web:a.test", "app.bsky.feed.post", "3jzfcijpj2z2a", "j3zfcijpj2z2a",
                CID(hashing: [1]).description, "a.test",
            ])
        try FuzzRun("identifiers", inputs: 25_000)(ByteMutator(corpus: corpus, tokens: FuzzTokens.text, bytesMax: 4_096)) { bytes in
            guard let text = text(bytes) else { return .refused }
            if let tid = TID(text), tid.description != text { return .broken("TID \(tid)") }
            if let cid = CID(text), cid.description != text { return .broken("CID \(cid)") }
            let (did, nsid, key, handle) = (Syntax.isDID(text), Syntax.isNSID(text), Syntax.isRecordKey(text), Syntax.isHandle(text))
            _ = Syntax.isCIDText(text)
            if did || nsid || key || handle, bytes.contains(where: { $0 <= 0x20 || $0 >= 0x7f }) {
                return .broken("a character that no identifier has")
            }
            if did, bytes.count > 2_048 || !text.hasPrefix("did:") { return .broken("DID") }
            if nsid, bytes.count > 317 || bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).count < 3 {
                return .broken("NSID")
            }
            if key, bytes.count > 512 || text == "." || text == ".." || text.contains("/") { return .broken("record key") }
            if handle, bytes.count > 253 || !text.contains(".") { return .broken("handle") }
            return did || nsid || key || handle ? .accepted : .refused
        }
    }

    @Test("base32, base58 and base64: what decodes encodes to the same text")
    func bases() throws {
        let corpus = [
            "", "a", "me", "mzxw6ytboi", "Zm9v", "Zm8", "Zg==", "zQ3shqwJEJyMBsBXCWyCBpUBMqxcon9oHB7mCvx4sSpMdLJwc", "1111", "2NEpo7TZRRrLZSi2U",
        ]
        let mutator = ByteMutator(corpus: corpus.map { Array($0.utf8) }, tokens: FuzzTokens.text, bytesMax: 2_048)
        try FuzzRun("bases", inputs: 20_000)(mutator) { bytes in
            var encoded: [UInt8] = []
            var accepted = false
            if let raw = Base32.decode(bytes) {
                encoded = Self.encoded(raw) { Base32.encode($0, to: $1) }
                guard encoded == bytes else { return .broken("base32") }
                accepted = true
            }
            if let raw = Base64.decode(bytes) {
                encoded = Self.encoded(raw) {
                    Base64.encode($0, to: $1)
                    return (4 * $0.count + 2) / 3
                }
                let bare = { (text: [UInt8]) in text.filter { $0 != UInt8(ascii: "=") } }
                guard bare(encoded) == bare(bytes) else { return .broken("base64") }
                accepted = true
            }
            // Base58 is quadratic: whoever calls it bounds the text, here at 256.
            if bytes.count <= 256, let raw = Base58.decode(bytes) {
                guard Array(Base58.encode(raw).utf8) == bytes else { return .broken("base58") }
                accepted = true
            }
            return accepted ? .accepted : .refused
        }
    }

    @Test("binary CIDs and varints: what reads writes itself as it was")
    func binaries() throws {
        var varints: [[UInt8]] = []
        for value in [0, 1, 127, 128, 300, 1 << 20, 1 << 31, 1 << 40] {
            var bytes: [UInt8] = []
            Varint.append(value, to: &bytes)
            varints.append(bytes)
        }
        let mutator = ByteMutator(
            corpus: varints + [CID(hashing: [1]).binary, CID(hashing: [2], codec: .raw).binary], tokens: FuzzTokens.cbor, bytesMax: 64)
        try FuzzRun("CIDs and varints", inputs: 25_000)(mutator) { bytes in
            if let cid = try? CID(binary: bytes) { return cid.binary == bytes ? .accepted : .broken("CID") }
            return bytes.withUnsafeBytes { buffer in
                var offset = 0
                guard let value = try? Varint.read(buffer, at: &offset, end: buffer.count) else { return .refused }
                guard value >= 0, offset <= buffer.count else { return .broken("a varint of \(value), \(offset) bytes") }
                var again: [UInt8] = []
                Varint.append(value, to: &again)
                return again == Array(bytes[..<offset]) ? .accepted : .broken("the varint of \(value) is not shortest")
            }
        }
    }

    @Test("keys: what parses writes itself as it was, in every form")
    func keys() throws {
        let k256 = try SigningKey(.k256, secret: [UInt8](repeating: 7, count: 32)).verificationKey
        let p256 = try SigningKey(.p256, secret: [UInt8](repeating: 7, count: 32)).verificationKey
        let corpus = [k256, p256].flatMap { ["did:key:z" + Base58.encode($0.curve.multicodec + $0.compressed), "z" + Base58.encode($0.compressed)] }
        let mutator = ByteMutator(corpus: corpus.map { Array($0.utf8) }, tokens: FuzzTokens.text, bytesMax: 512)
        try FuzzRun("keys", inputs: 4_000)(mutator) { bytes in
            guard let text = text(bytes) else { return .refused }
            for curve in KeyCurve.allCases { _ = try? VerificationKey(legacyMultibase: text, curve: curve) }
            guard let key = try? VerificationKey(didKey: text) else { return .refused }
            return "did:key:z" + Base58.encode(key.curve.multicodec + key.compressed) == text ? .accepted : .broken("\(key)")
        }
    }

    @Test("points and signatures: any bytes verify or do not, and a changed signature never does")
    func signatures() throws {
        for curve in KeyCurve.allCases {
            let secret = try SigningKey(curve, secret: [UInt8](repeating: 7, count: 32))
            let key = secret.verificationKey
            let message = Array("what was signed".utf8)
            let signature = try secret.sign(message)
            let mutator = ByteMutator(
                corpus: [signature, key.compressed], tokens: [[UInt8](repeating: 0xff, count: 32), [UInt8](repeating: 0, count: 32)], bytesMax: 200)
            try FuzzRun("signatures \(curve)", inputs: 1_500)(mutator) { bytes in
                if let point = try? VerificationKey(curve, point: bytes), point.compressed.count != 33 { return .broken("a point") }
                let isGood = key.verify(signature: bytes, message: message)
                return isGood == (bytes == signature) ? (isGood ? .accepted : .refused) : .broken("another signature of the same message")
            }
        }
    }

    /// What an encoder writes of the bytes; two for one are always enough.
    private static func encoded(_ raw: [UInt8], _ encode: (UnsafeRawBufferPointer, UnsafeMutableRawPointer) -> Int) -> [UInt8] {
        var text = [UInt8](repeating: 0, count: 2 * raw.count + 8)
        let count = text.withUnsafeMutableBytes { target in
            raw.withUnsafeBytes { source in target.baseAddress.map { encode(source, $0) } ?? 0 }
        }
        return Array(text.prefix(count))
    }
}
