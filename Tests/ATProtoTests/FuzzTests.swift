import ATProto
import Events
import Testing

/// Seeded mutations of good input: whatever comes out is a value or an error, never a crash, and soon.
@Suite("Strangers' bytes")
struct FuzzTests {
    private static let seeds: [UInt64] = [1, 2, 3, 4]
    private let rounds = 1500

    private func mutate(_ bytes: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...6, using: &random) {
            guard !bytes.isEmpty else { return bytes }
            let index = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<7, using: &random) {
            case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
            case 1: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 2: bytes.removeSubrange(index...)
            case 3:
                bytes.insert(
                    contentsOf: (0..<Int.random(in: 1...9, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }, at: index)
            case 4: bytes.removeSubrange(index..<min(bytes.count, index + Int.random(in: 1...40, using: &random)))
            case 5: bytes.replaceSubrange(index..<min(bytes.count, index + 9), with: [0x5b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])
            default:
                let end = min(bytes.count, index + Int.random(in: 1...60, using: &random))
                bytes.insert(contentsOf: bytes[index..<end], at: Int.random(in: 0...bytes.count, using: &random))
            }
        }
        return bytes
    }

    private func frames() throws -> [[UInt8]] {
        var host = try TestRepository()
        _ = try host.commit((0..<30).map { ("app.bsky.feed.post/k\($0)", TestRepository.post("\($0)")) })
        let record: CBORValue = ["$type": "a.b.c", "x": [1, -5, .null, true, .bytes([1, 2]), .link(CID(hashing: [1]))], "y": ["z": "ü\u{0}"]]
        let commit = try host.commit([("app.bsky.feed.post/a", record), ("app.bsky.feed.post/k3", nil)])
        let car = CARWriter.encode(roots: [commit.commit.cid], blocks: [commit.commit])
        return [
            commit.message.frame(), SyncMessage(seq: 3, did: host.did, rev: commit.message.rev, blocks: car, time: "t").frame(),
            IdentityMessage(seq: 4, did: host.did, time: "t", handle: "a.test").frame(),
            AccountMessage(seq: 5, did: host.did, time: "t", active: false, status: "deleted").frame(),
            InfoMessage(name: "OutdatedCursor").frame(), ErrorMessage(error: "FutureCursor").frame(),
        ]
    }

    @Test("frames", arguments: seeds)
    func frames(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let frames = try frames()
        let key = try SigningKey(.k256, secret: [UInt8](repeating: 7, count: 32)).verificationKey
        var verified = 0
        for round in 0..<rounds {
            let frame = mutate(frames[round % 2 == 0 ? 0 : round % frames.count], &random)
            _ = FrameRoute.parse(frame)
            _ = try? StreamMessage(frame: frame)
            _ = SyncStructure.check(frame, now: TestRepository.now)
            for mode in VerificationMode.allCases {
                guard case .verified(let commit) = CommitVerifier.verify(frame, key: key, now: TestRepository.now, mode: mode) else { continue }
                if mode == .strict { verified += 1 }
                for operation in commit.operations {
                    guard let range = operation.record else { continue }
                    #expect(range.lowerBound >= 0 && range.upperBound <= frame.count)
                    var json: [UInt8] = []
                    try? DAGJSON.write(range, of: frame, into: &json)
                }
            }
        }
        // What is outside of the signed part (seq, time, unused bytes of the archive's tail) may change and still verify.
        print("seed \(seed): \(verified) of \(rounds) mutated frames verified")
        #expect(verified < rounds / 2)
    }

    @Test("blocks whose digests hold but whose content does not", arguments: seeds)
    func signedNonsense(seed: UInt64) throws {
        // A host may sign anything: here every block is mutated first and addressed afterwards.
        var random = SeededGenerator(seed: seed)
        var host = try TestRepository()
        let draft = try host.commit((0..<60).map { ("app.bsky.feed.post/k\($0)", TestRepository.post("\($0)")) })
        for _ in 0..<rounds {
            let victim = Int.random(in: 0..<draft.blocks.count, using: &random)
            let nonsense = Block(hashing: mutate(draft.blocks[victim].bytes, &random))
            let commit = try CommitBlock.signed(did: host.did, rev: draft.message.rev, data: nonsense.cid, with: host.key).block
            let car = CARWriter.encode(roots: [commit.cid], blocks: [commit, nonsense] + draft.blocks)
            let message = draft.message.changed(commit: commit.cid, blocks: car)
            _ = CommitVerifier.verify(message.frame(), key: host.key.verificationKey, now: TestRepository.now)
            let repository = try Repository(car: car)
            _ = try? MerkleSearchTree(root: nonsense.cid, blocks: repository.blocks)
            var walk = try? repository.walk()
            var count = 0
            while ((try? walk?.next()) ?? nil) != nil {
                count += 1
                try #require(count <= 200, "seed \(seed): a walk visits more than there is")
            }
        }
    }

    @Test("archives", arguments: seeds)
    func archives(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let blocks = (0..<30).map { Block(hashing: [UInt8](repeating: UInt8($0), count: $0)) }
        let car = CARWriter.encode(roots: [blocks[0].cid], blocks: blocks)
        for _ in 0..<rounds {
            let bytes = mutate(car, &random)
            _ = try? BlockIndex(car: bytes)
            guard let index = try? BlockIndex(car: bytes, verifying: false) else { continue }
            #expect(index.count <= bytes.count / 37)
        }
    }

    @Test("values: what decodes encodes to the same bytes", arguments: seeds)
    func values(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let value: CBORValue = [
            "a": [1, -1, 255, 65536, .null, true, .float(2.5)], "b": .bytes([1, 2, 3]), "c": .link(CID(hashing: [1])), "d": ["e": ["f": "g😀"]],
            "$type": "blob", "ref": .link(CID(hashing: [1], codec: .raw)), "size": 12, "mimeType": "image/png",
        ]
        var decoded = 0
        for _ in 0..<rounds * 4 {
            let bytes = mutate(value.encode(), &random)
            var json: [UInt8] = []
            try? DAGJSON.write(0..<bytes.count, of: bytes, into: &json)
            if !json.isEmpty { #expect(throws: Never.self, "seed \(seed)") { try JSONValue(parsing: json) } }
            guard let read = try? CBORValue.decode(bytes) else { continue }
            decoded += 1
            #expect(read.encode() == bytes, "seed \(seed)")
        }
        #expect(decoded > 0)
    }

    @Test("DID documents and JSON", arguments: seeds)
    func documents(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let text = ##"""
            {"id":"did:plc:a","alsoKnownAs":["at://a.test"],"verificationMethod":[{"id":"#atproto","type":"Multikey","controller":"did:plc:a",
            "publicKeyMultibase":"zQ3shqwJEJyMBsBXCWyCBpUBMqxcon9oHB7mCvx4sSpMdLJwc"}],"service":[{"id":"#atproto_pds",
            "type":"AtprotoPersonalDataServer","serviceEndpoint":"https://a.test:443"}],"x":[1.5e3,-0,"\u00e9\ud83d\ude00",null,true,false]}
            """##
        for _ in 0..<rounds * 2 {
            let bytes = mutate(Array(text.utf8), &random)
            _ = try? DIDDocument(parsing: bytes, did: "did:plc:a")
            _ = try? DAGJSON.record(bytes)
        }
    }
}
