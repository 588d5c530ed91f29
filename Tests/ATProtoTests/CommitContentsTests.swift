import ATProto
import Events
import Testing

@Suite("Contents of a commit, before anything is hashed")
struct CommitContentsTests {
    private func contents(_ message: CommitMessage) throws -> CommitContents { try CommitContents(frame: message.frame()) }

    @Test("the operations and their records are those of the verified commit")
    func operations() throws {
        var host = try TestRepository()
        _ = try host.commit((0..<40).map { ("app.bsky.feed.post/k\($0)", TestRepository.post("\($0)")) })
        let draft = try host.commit([("app.bsky.feed.post/a", TestRepository.post("a \"b\"\n")), ("app.bsky.feed.post/k3", nil)])
        let contents = try contents(draft.message)
        #expect(contents.brokenBlocks == 0)
        let frame = draft.message.frame()
        guard case .verified(let commit) = CommitVerifier.verify(frame, key: host.key.verificationKey, now: TestRepository.now) else {
            Issue.record("refused")
            return
        }
        let operations = try contents.operations()
        #expect(operations == commit.operations)
        let bodies = try operations.map { try $0.json(in: frame) }
        #expect(try DAGJSON.record(bodies[0]) == TestRepository.post("a \"b\"\n"))
        #expect(bodies[1].isEmpty)
    }

    @Test("a block that is no DAG-CBOR and that nothing refers to is counted; one in the tree is refused")
    func brokenBlocks() throws {
        var host = try TestRepository()
        let draft = try host.commit([("app.bsky.feed.post/a", TestRepository.post("a"))])
        let blocks = [draft.commit] + draft.blocks
        let node: [UInt8] = [0xa2, 0x61, 0x65, 0x80, 0x61, 0x6c, 0xf6]
        for bad in [[0xff], [], [0xa1, 0x61], [0x18, 0x01], [0x00, 0x00], node + [0]] as [[UInt8]] {
            let more = draft.message.changed(blocks: CARWriter.encode(roots: [draft.commit.cid], blocks: blocks + [Block(hashing: bad)]))
            #expect(try contents(more).brokenBlocks == 1, "\(bad)")
            guard case .sound = CommitStructure.check(more, now: TestRepository.now) else {
                Issue.record("\(bad): a block that nothing refers to has a consequence")
                return
            }
            let root = Block(hashing: bad)
            let commit = try CommitBlock.signed(did: host.did, rev: draft.message.rev, data: root.cid, with: host.key).block
            let car = CARWriter.encode(roots: [commit.cid], blocks: [commit, root] + draft.blocks)
            guard case .refused(let refusal) = CommitStructure.check(draft.message.changed(commit: commit.cid, blocks: car), now: TestRepository.now)
            else {
                Issue.record("\(bad): sound as a tree")
                return
            }
            #expect(refusal.reason == .malformedBlocks, "\(bad)")
        }
        for good in [node, [0xa0], [0x80], [0x61, 0x61]] as [[UInt8]] {
            let more = draft.message.changed(blocks: CARWriter.encode(roots: [draft.commit.cid], blocks: blocks + [Block(hashing: good)]))
            #expect(try contents(more).brokenBlocks == 0)
        }
    }

    @Test("a digest that does not hold is found by the next stage")
    func digests() throws {
        var host = try TestRepository()
        let draft = try host.commit([("app.bsky.feed.post/a", TestRepository.post("a"))])
        var blocks = [draft.commit] + draft.blocks
        let cid = try #require(draft.message.ops[0].cid)
        let place = try #require(blocks.firstIndex { $0.cid == cid })
        blocks[place].bytes = TestRepository.post("b").encode()
        let contents = try contents(draft.message.changed(blocks: CARWriter.encode(roots: [draft.commit.cid], blocks: blocks)))
        #expect(try contents.operations().count == 1)
        guard case .refused(let refusal) = contents.structure(now: TestRepository.now) else {
            Issue.record("sound")
            return
        }
        #expect(refusal.reason == .cidMismatch)
    }

    @Test("JSON that is many times as long as its record comes out whole")
    func growth() throws {
        let items = [CBORValue](repeating: .bytes([]), count: 3000)
        let record: CBORValue = ["a": .array(items), "b": .text(String(repeating: "\u{1}", count: 2000)), "c": .integer(.min)]
        let json = try DAGJSON.json(record.encode())
        #expect(json.count > 3000 * 13)
        #expect(try DAGJSON.record(json) == record)
    }

    @Test("an escape is found wherever it stands in a text", arguments: ["\"", "\\", "\n", "\u{0}", "\u{1f}"])
    func escapes(mark: String) throws {
        for length in 0..<40 {
            for place in 0...length {
                let text = String(repeating: "ü ", count: place) + mark + String(repeating: "x\u{7f}", count: length - place)
                let record: CBORValue = ["text": .text(text)]
                #expect(try DAGJSON.record(DAGJSON.json(record.encode())) == record)
            }
        }
    }
}
