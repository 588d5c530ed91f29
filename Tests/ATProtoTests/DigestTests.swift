import ATProto
import Testing

@Suite("Digests")
struct DigestTests {
    @Test("the published vectors hold")
    func vectors() {
        func hex(_ text: String) -> String {
            Digest(hashing: Array(text.utf8)).bytes.map { byte in
                let text = String(byte, radix: 16)
                return text.count == 1 ? "0" + text : text
            }.joined()
        }
        #expect(hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(
            hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")
                == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")
    }

    @Test("the processor's instructions and the portable code agree at every length up to five blocks, and on large inputs")
    func agreement() {
        var random = SeededGenerator(seed: 11)
        for length in Array(0...320) + [4096, 65_537, 1 << 20] {
            let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
            #expect(Digest(hashing: bytes) == Digest.portable(bytes), "\(length) bytes")
        }
    }
}
