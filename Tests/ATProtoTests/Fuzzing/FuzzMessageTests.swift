import ATProto
import Events
import TestSupport
import Testing

@Suite("Strangers' frames")
struct FuzzMessageTests {
    @Test("a frame is routed or told to be none, and whatever decodes in full routes by the same fields")
    func frames() throws {
        let mutator = ByteMutator(corpus: try FuzzCorpus.frames(), tokens: FuzzTokens.cbor)
        try FuzzRun("frames", inputs: 12_000)(mutator) { frame in
            let route = FrameRoute.parse(frame)
            guard let message = try? StreamMessage(frame: frame) else { return .refused }
            return Self.agrees(message, route) ? .accepted : .broken("\(message) routes as \(route)")
        }
    }

    /// Values whose bytes are canonical get past the first checks.
    @Test("the same for frames whose fields were changed and encoded anew")
    func bodies() throws {
        let header = (["op": 1, "t": "#commit"] as CBORValue).encode()
        let bodies = try FuzzCorpus.frames().filter { $0.starts(with: header) }.map { try CBORValue.decode(Array($0.dropFirst(header.count))) }
        let types = ["#commit", "#sync", "#identity", "#account", "#info", "#labels"]
        try FuzzRun("frames of changed values", inputs: 6_000)(generate: { random in
            var body = bodies.randomElement(using: &random) ?? .null
            for _ in 0..<Int.random(in: 1...3, using: &random) { body = ValueMutator.mutate(body, links: [CID(hashing: [1])], &random) }
            let type = Int.random(in: 0..<4, using: &random) == 0 ? types.randomElement(using: &random) ?? "" : "#commit"
            return (["op": 1, "t": .text(type)] as CBORValue).encode() + body.encode()
        }) { frame in
            let route = FrameRoute.parse(frame)
            guard let message = try? StreamMessage(frame: frame) else { return .refused }
            return Self.agrees(message, route) ? .accepted : .broken("\(message) routes as \(route)")
        }
    }

    @Test("labels read or are refused one by one, write back as they came, and only what was not changed is signed")
    func labels() throws {
        let key = try SigningKey(.k256, secret: [UInt8](repeating: 9, count: 32)).verificationKey
        let honest = try FuzzCorpus.labels()
        let frame = honest.frame()
        let header = (["op": 1, "t": "#labels"] as CBORValue).encode()
        let body = try CBORValue.decode(Array(frame.dropFirst(header.count)))
        let mutator = ByteMutator(corpus: [frame], tokens: FuzzTokens.cbor)
        try FuzzRun("labels", inputs: 8_000)(generate: { random in
            guard Bool.random(using: &random) else { return mutator.input(using: &random) }
            var changed = body
            for _ in 0..<Int.random(in: 1...3, using: &random) { changed = ValueMutator.mutate(changed, links: [CID(hashing: [1])], &random) }
            return header + changed.encode()
        }) { frame in
            guard let message = try? LabelsMessage(frame: frame) else { return .refused }
            guard let again = try? LabelsMessage(frame: message.frame()), again == message else { return .broken("reads back as another one") }
            for case .label(let label) in message.labels where label.isSigned(by: key) {
                // A `neg` that is false changes nothing of what is said.
                guard !label.neg, label.val == "spam", label.exp != nil else { return .broken("a changed label is signed") }
            }
            return .accepted
        }
    }

    private static func agrees(_ message: StreamMessage, _ route: FrameRoute) -> Bool {
        switch (message, route) {
        case (.commit(let commit), .message(let fields)):
            fields == .init(type: .commit, seq: commit.seq, did: commit.repo, rev: commit.rev, time: commit.time)
        case (.sync(let sync), .message(let fields)):
            fields == .init(type: .sync, seq: sync.seq, did: sync.did, rev: sync.rev, time: sync.time)
        case (.identity(let identity), .message(let fields)):
            fields == .init(type: .identity, seq: identity.seq, did: identity.did, rev: "", time: identity.time)
        case (.account(let account), .message(let fields)):
            fields == .init(type: .account, seq: account.seq, did: account.did, rev: "", time: account.time)
        case (.labels(let labels), .labels(let seq, let subjects)): seq == labels.seq && subjects == labels.labels.map(\.did)
        case (.info, .info), (.error, .error), (.unknown, .unknown): true
        default: false
        }
    }

    @Test("a commit verifies or is refused, and what verifies lies in its frame and turns into JSON")
    func commits() throws {
        let key = try SigningKey(.k256, secret: [UInt8](repeating: 7, count: 32)).verificationKey
        let mutator = ByteMutator(corpus: Array(try FuzzCorpus.frames().prefix(3)), tokens: FuzzTokens.cbor)
        try FuzzRun("commits", inputs: 4_000)(mutator) { frame in
            _ = SyncStructure.check(frame, now: TestRepository.now)
            var isVerified = false
            for mode in VerificationMode.allCases {
                guard case .verified(let commit) = CommitVerifier.verify(frame, key: key, now: TestRepository.now, mode: mode) else { continue }
                isVerified = isVerified || mode == .strict
                for operation in commit.operations {
                    guard let range = operation.record else { continue }
                    guard range.lowerBound >= 0, range.upperBound <= frame.count else { return .broken("a record outside of the frame") }
                    var json: [UInt8] = []
                    try? DAGJSON.write(range, of: frame, into: &json)
                    if mode == .strict, CID(hashing: Array(frame[range])) != operation.cid { return .broken("a record that is not its CID") }
                }
            }
            return isVerified ? .accepted : .refused
        }
    }

    @Test("a host may sign anything: changed nodes under a good signature end in a refusal, or in the operations that the tree shows")
    func signedNonsense() throws {
        let (host, _, draft) = try FuzzCorpus.host()
        let key = host.key.verificationKey
        let blocks = draft.blocks
        let links = blocks.map(\.cid) + [draft.commit.cid, CID(hashing: [9])]
        let operations = draft.message.ops
        try FuzzRun("signed nonsense", inputs: 2_500)(generate: { random in
            var blocks = blocks
            var root = blocks[0].cid
            if Int.random(in: 0..<10, using: &random) > 0 {
                let victim = Int.random(in: blocks.indices, using: &random)
                guard let value = try? CBORValue.decode(blocks[victim].bytes) else { return [] }
                let changed = Block(hashing: ValueMutator.mutate(value, links: links, &random).encode())
                if Bool.random(using: &random) { blocks[victim] = changed } else { blocks.append(changed) }
                if Bool.random(using: &random) { root = changed.cid }
            } else {
                root = draft.blocks.map(\.cid).randomElement(using: &random) ?? root
            }
            guard let commit = try? CommitBlock.signed(did: host.did, rev: draft.message.rev, data: root, with: host.key).block else { return [] }
            let car = CARWriter.encode(roots: [commit.cid], blocks: [commit] + blocks)
            return draft.message.changed(commit: commit.cid, blocks: car).frame()
        }) { frame in
            for mode in VerificationMode.allCases {
                guard case .verified(let commit) = CommitVerifier.verify(frame, key: key, now: TestRepository.now, mode: mode) else { continue }
                guard mode == .strict else { continue }
                return commit.operations.count == operations.count ? .accepted : .broken("other operations")
            }
            return .refused
        }
    }
}
