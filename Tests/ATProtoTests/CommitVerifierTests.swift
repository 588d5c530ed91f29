import ATProto
import Events
import Testing

@Suite("Commit verification")
struct CommitVerifierTests {
    private let now = TestRepository.now

    @Test("an honest host's commits are verified, with records that lie in the frame", arguments: [KeyCurve.k256, .p256])
    func honest(curve: KeyCurve) throws {
        var host = try TestRepository(curve)
        let a = "app.bsky.feed.post/3lhhvfa2dve2d"
        let b = "app.bsky.feed.like/3lhhvfa2dvf2d"
        let commits: [[(path: String, record: CBORValue?)]] = [
            [(a, TestRepository.post("one")), (b, TestRepository.post("two"))], [(a, TestRepository.post("three")), (b, nil)], [(a, nil)], [],
        ]
        for (number, changes) in commits.enumerated() {
            let frame = try host.commit(changes).message.frame()
            guard case .verified(let commit) = CommitVerifier.verify(frame, key: host.key.verificationKey, now: now) else {
                Issue.record("commit \(number): \(CommitVerifier.verify(frame, key: host.key.verificationKey, now: now))")
                return
            }
            #expect(commit.inversion == .proven && commit.marks.isEmpty && commit.data == host.tree.rootCID())
            #expect(commit.did == host.did && commit.rev == host.lastRev && (commit.since == nil) == (number == 0))
            #expect(commit.operations.map(\.path) == changes.map(\.path))
            #expect(commit.storage == frame)
            for (operation, change) in zip(commit.operations, changes) {
                #expect(operation.record.map { Array(frame[$0]) } == change.record?.encode())
            }
        }
    }

    @Test("many operations and large repositories verify", arguments: [1, 2, 3] as [UInt64])
    func many(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var host = try TestRepository()
        for round in 0..<60 {
            var changes: [String: CBORValue?] = [:]
            for _ in 0..<Int.random(in: 1...20, using: &random) {
                let path = "app.bsky.feed.post/k\(Int.random(in: 0..<300, using: &random))"
                changes[path] = host.records[path] != nil && Bool.random(using: &random) ? .some(nil) : TestRepository.post("\(round) \(path)")
            }
            let frame = try host.commit(changes.map { (path: $0.key, record: $0.value) }).message.frame()
            guard case .verified(let commit) = CommitVerifier.verify(frame, key: host.key.verificationKey, now: now) else {
                Issue.record("seed \(seed) round \(round): \(CommitVerifier.verify(frame, key: host.key.verificationKey, now: now))")
                return
            }
            #expect(commit.inversion == .proven)
        }
    }

    private func reason(_ message: CommitMessage, key: VerificationKey, now: WallTime? = nil) -> Refusal.Reason? {
        guard case .refused(let refusal) = CommitVerifier.verify(message.frame(), key: key, now: now ?? self.now) else { return nil }
        return refusal.reason
    }

    @Test("each fault has its reason")
    func faults() throws {
        var host = try TestRepository()
        let (a, b) = ("app.bsky.feed.post/a", "app.bsky.feed.post/b")
        _ = try host.commit((0..<20).map { ("app.bsky.feed.post/k\($0)", TestRepository.post("\($0)")) } + [(b, TestRepository.post("b"))])
        let draft = try host.commit([(a, TestRepository.post("a")), (b, nil)])
        let message = draft.message
        let key = host.key.verificationKey
        let create = message.ops[0]
        let delete = message.ops[1]
        #expect(reason(message, key: key) == nil)

        let other = try SigningKey(.k256, secret: [UInt8](repeating: 9, count: 32))
        #expect(reason(message, key: other.verificationKey) == .badSignature)
        #expect(reason(message.changed(repo: "did:plc:other"), key: key) == .repoMismatch)
        #expect(reason(message.changed(rev: "3zzzzzzzzzzzz"), key: key) == .revMismatch)
        #expect(reason(message.changed(rev: message.since ?? ""), key: key) == .badRev)
        #expect(reason(message.changed(commit: CID(hashing: [])), key: key) == .cidMismatch)
        #expect(reason(message.changed(prevData: CID(hashing: [])), key: key) == .badInversion)
        #expect(reason(message.changed(ops: [create]), key: key) == .badInversion)
        #expect(reason(message.changed(ops: [delete]), key: key) == .badInversion)
        #expect(reason(message.changed(ops: [create, create, delete]), key: key) == .badPath)
        #expect(reason(message.changed(tooBig: true), key: key) == .tooBig)

        let early = WallTime(microseconds: TestRepository.start - 5 * 60_000_000 - 1)
        #expect(reason(message, key: key, now: early) == .futureRev)
        #expect(reason(message, key: key, now: WallTime(microseconds: TestRepository.start + 1 - 5 * 60_000_000)) == nil)

        func with(_ op: RepoOperation) -> CommitMessage { message.changed(ops: [op, delete]) }
        #expect(reason(with(RepoOperation(action: .create, path: "app.bsky.feed.post", cid: create.cid)), key: key) == .badPath)
        #expect(reason(with(RepoOperation(action: .create, path: "post/a", cid: create.cid)), key: key) == .badPath)
        #expect(reason(with(RepoOperation(action: .create, path: "app.bsky.feed.post/a/b", cid: create.cid)), key: key) == .badPath)
        #expect(reason(with(RepoOperation(action: .create, path: a, cid: nil)), key: key) == .badOperation)
        #expect(reason(with(RepoOperation(action: .delete, path: a, cid: create.cid, prev: create.cid)), key: key) == .badOperation)
        #expect(reason(with(RepoOperation(action: .create, path: a, cid: create.cid, prev: create.cid)), key: key) == .badOperation)
        #expect(reason(with(RepoOperation(action: .create, path: a, cid: CID(hashing: [5]))), key: key) == .missingBlock)
        #expect(reason(with(RepoOperation(action: .update, path: a, cid: create.cid)), key: key) == .badInversion)
    }

    @Test("blocks that are wrong, missing or no archive have their reasons")
    func blocks() throws {
        var host = try TestRepository()
        _ = try host.commit((0..<40).map { ("app.bsky.feed.post/k\($0)", TestRepository.post("\($0)")) })
        let draft = try host.commit([("app.bsky.feed.post/a", TestRepository.post("a"))])
        let message = draft.message
        let key = host.key.verificationKey
        let all = [draft.commit] + draft.blocks
        func reason(_ blocks: [Block], root: CID? = nil) -> Refusal.Reason? {
            self.reason(message.changed(blocks: CARWriter.encode(roots: [root ?? draft.commit.cid], blocks: blocks)), key: key)
        }
        #expect(reason(all) == nil)
        #expect(reason(all.reversed() + all) == nil, "blocks come in any order and may repeat")
        for index in all.indices {
            var some = all
            some.remove(at: index)
            // A neighbour's path may hold a node that this inversion does not need, but it never leads to another result than these.
            #expect([.missingBlock, nil].contains(reason(some)))
            if index == 0 || index == 1 || index == all.count - 1 { #expect(reason(some) == .missingBlock) }
            var wrong = all
            wrong[index].bytes[wrong[index].bytes.count - 1] ^= 1
            #expect(reason(wrong) == .cidMismatch)
        }
        #expect(self.reason(message.changed(blocks: []), key: key) == .malformedBlocks)
        #expect(self.reason(message.changed(blocks: [1, 2, 3]), key: key) == .malformedBlocks)
        #expect(reason(all, root: all[1].cid) == .malformedCommit)
        let large = Block(hashing: CBORValue.map(CBORMap([("x", .bytes([UInt8](repeating: 0, count: 1 << 20)))])).encode())
        let op = RepoOperation(action: .create, path: "app.bsky.feed.post/a", cid: large.cid)
        let tooLarge = message.changed(ops: [op], blocks: CARWriter.encode(roots: [draft.commit.cid], blocks: all + [large]))
        #expect(self.reason(tooLarge, key: key) == .tooLarge)
        guard case .refused(let refusal) = CommitVerifier.verify([1, 2, 3], key: key, now: now) else {
            Issue.record("garbage verified")
            return
        }
        #expect(refusal.reason == .malformedMessage)
    }

    @Test("a lenient fleet marks a bad signature and a bad chain, and still refuses what it cannot read")
    func lenient() throws {
        var host = try TestRepository()
        let message = try host.commit([("app.bsky.feed.post/a", TestRepository.post("a"))]).message
        let other = try SigningKey(.p256, secret: [UInt8](repeating: 9, count: 32)).verificationKey
        func marks(_ message: CommitMessage, _ key: VerificationKey) -> [LenientMark]? {
            guard case .verified(let commit) = CommitVerifier.verify(message.frame(), key: key, now: now, mode: .lenient) else { return nil }
            return commit.marks
        }
        #expect(marks(message, host.key.verificationKey) == [])
        #expect(marks(message, other) == [.signature])
        #expect(marks(message.changed(prevData: CID(hashing: [])), host.key.verificationKey) == [.chain])
        #expect(marks(message.changed(prevData: CID(hashing: [])), other) == [.signature, .chain])
        #expect(marks(message.changed(repo: "did:plc:other"), other) == nil)
    }

    @Test("without prevData creates are undone all the same, and updates are compared with the tree")
    func before11() throws {
        var host = try TestRepository()
        let path = "app.bsky.feed.post/a"
        let root = host.tree.rootCID()
        func inversion(_ message: CommitMessage) -> CommitStructure.Inversion? {
            guard case .sound(let structure) = CommitStructure.check(message.frame(), now: now) else { return nil }
            return structure.inversion
        }
        let create = try host.commit([(path, TestRepository.post("a"))]).message
        #expect(inversion(create.changed(prevData: .some(nil))) == .computed(root))
        let update = try host.commit([(path, TestRepository.post("b"))]).message
        let op = RepoOperation(action: .update, path: path, cid: update.ops[0].cid)
        #expect(inversion(update.changed(prevData: .some(nil), ops: [op])) == .notPossible)
        let wrong = RepoOperation(action: .update, path: "app.bsky.feed.post/other", cid: update.ops[0].cid)
        #expect(inversion(update.changed(prevData: .some(nil), ops: [wrong])) == nil)
    }

    @Test("a sync verifies by its commit block alone")
    func sync() throws {
        var host = try TestRepository()
        let draft = try host.commit([("app.bsky.feed.post/a", TestRepository.post("a"))])
        let rev = try #require(host.lastRev)
        func message(did: String? = nil, rev: String) -> [UInt8] {
            let car = CARWriter.encode(roots: [draft.commit.cid], blocks: [draft.commit])
            return SyncMessage(seq: 9, did: did ?? host.did, rev: rev, blocks: car, time: "").frame()
        }
        guard case .sound(let structure) = SyncStructure.check(message(rev: rev), now: now),
            case .verified(let sync) = structure.verify(host.key.verificationKey)
        else {
            Issue.record("an honest sync is refused")
            return
        }
        #expect(sync.data == host.tree.rootCID() && sync.commit == draft.commit.cid && sync.rev == rev)
        let other = try SigningKey(.k256, secret: [UInt8](repeating: 9, count: 32)).verificationKey
        if case .verified = structure.verify(other) { Issue.record("another key verifies") }
        if case .sound = SyncStructure.check(message(did: "did:plc:other", rev: rev), now: now) { Issue.record("another repository") }
        if case .sound = SyncStructure.check(message(rev: "3zzzzzzzzzzzz"), now: now) { Issue.record("another revision") }
    }
}
