import Testing

@testable import ATProto

/// Trees that a careless or malicious host could sign.
@Suite("Trees that are none")
struct MSTNodeTests {
    private let leaf = CID(hashing: [9])

    private func entry(_ prefix: Int64, _ suffix: String, right: CID? = nil) -> CBORValue {
        ["p": .integer(prefix), "k": .bytes(Array(suffix.utf8)), "v": .link(leaf), "t": right.map(CBORValue.link) ?? .null]
    }

    private func node(_ entries: [CBORValue], left: CID? = nil) -> Block {
        let value: CBORValue = ["e": .array(entries), "l": left.map(CBORValue.link) ?? .null]
        return Block(hashing: value.encode())
    }

    /// What a walk gives, each of the three ways; `verifying`: false for nodes under addresses that are not theirs.
    private func walked(_ root: Block, with others: [Block] = [], verifying: Bool = true, _ why: Comment) throws -> WalkOutcome {
        let car = CARWriter.encode(roots: [root.cid], blocks: [root] + others + [Block(cid: leaf, bytes: [9])])
        let outcome = WalkOutcome(root: root.cid, whole: try BlockIndex(car: car, verifying: verifying))
        for source in [ArchiveBytes(car), OrderedSource(car)] as [any BlockSource] {
            let blocks = ArchiveBlocks(index: try indexed(car, source, verifying), source: source)
            let other = WalkOutcome(walk: { () throws(FormatError) in try ArchiveWalk(root: root.cid, blocks: blocks, aheadBytes: 1_000) })
            #expect(other == outcome, why)
        }
        return outcome
    }

    private func indexed(_ car: [UInt8], _ source: some BlockSource, _ verifying: Bool) throws -> ArchiveIndex {
        try ArchiveIndex(car: car, over: source, verifying: verifying)
    }

    private func refuses(_ root: Block, with others: [Block] = [], _ why: Comment) throws {
        let index = try BlockIndex(car: CARWriter.encode(roots: [root.cid], blocks: [root] + others + [Block(cid: leaf, bytes: [9])]))
        #expect(throws: FormatError.self, why) { try MerkleSearchTree(root: root.cid, blocks: index) }
        #expect(try walked(root, with: others, why).error != nil, why)
    }

    // The digit in these keys is their layer.
    private let layer0 = "A0/374913"
    private let layer1 = "B1/986427"
    private let layer2 = "B2/827649"

    @Test("wrong orders, prefixes, layers and shapes are refused")
    func shapes() throws {
        try refuses(node([entry(0, "B0/601692"), entry(0, layer0)]), "keys out of order")
        try refuses(node([entry(0, layer0), entry(0, layer0)]), "a key twice")
        try refuses(node([entry(0, layer0), entry(0, "A0/999999")]), "a prefix that could be longer")
        try refuses(node([entry(3, layer0)]), "a prefix of nothing")
        try refuses(node([entry(-1, layer0)]), "a prefix below zero")
        try refuses(node([entry(0, layer0), entry(500, "x")]), "a prefix beyond the key before")
        try refuses(node([entry(0, layer0), entry(0, layer1)]), "two layers in one node")
        try refuses(node([entry(0, "nokey")]), "a key without slash")
        let low = node([entry(0, layer0)])
        try refuses(node([entry(0, layer2)], left: low.cid), with: [low], "a child two layers down")
        try refuses(node([entry(0, "C0/451630")], left: low.cid), with: [low], "a child below the lowest layer")
        try refuses(node([entry(0, layer1, right: low.cid)]), with: [low], "a subtree on the wrong side")
        try refuses(node([], left: low.cid), with: [low], "a root without entries")
        let empty = node([])
        try refuses(node([entry(0, layer1)], left: empty.cid), with: [empty], "a node without keys below the root")
        try refuses(node([entry(0, layer1)], left: CID(hashing: [3])), "a node that is missing")
        try refuses(Block(hashing: [0xa0]), "a node without fields")
        let extra: CBORValue = ["e": [], "l": .null, "x": 1]
        try refuses(Block(hashing: extra.encode()), "a node with another field")
    }

    @Test("cycles and nodes that are referred to twice are refused")
    func cycles() throws {
        // Only where addresses are not their blocks' can a node stand below itself.
        let own = CID(hashing: [1])
        let ring = Block(cid: own, bytes: node([entry(0, layer1)], left: own).bytes)
        #expect(try walked(ring, verifying: false, "a node below itself").error == .mst)
        let (upper, lower) = (CID(hashing: [2]), CID(hashing: [3]))
        let pair = [
            Block(cid: upper, bytes: node([entry(0, layer2)], left: lower).bytes),
            Block(cid: lower, bytes: node([entry(0, layer1)], left: upper).bytes),
        ]
        #expect(try walked(pair[0], with: [pair[1]], verifying: false, "two nodes below each other").error == .mst)
        let low = node([entry(0, layer0)])
        #expect(try walked(node([entry(0, layer1, right: low.cid)], left: low.cid), with: [low], "a node on both sides").error == .mst)
        // Twice in the archive is once in the tree.
        #expect(try walked(node([entry(0, layer1)], left: low.cid), with: [low, low, low], "a block twice").records.count == 2)
    }

    @Test("a record may be any block of dag-cbor, a node too, and one record may have many keys; nothing else")
    func records() throws {
        let low = node([entry(0, layer0)])
        func value(_ cid: CID, _ key: String) -> CBORValue { ["p": 0, "k": .bytes(Array(key.utf8)), "v": .link(cid), "t": .null] }
        let both = Block(hashing: (["e": .array([value(low.cid, layer1)]), "l": .link(low.cid)] as CBORValue).encode())
        #expect(try walked(both, with: [low], "a node as a record").records.map(\.bytes) == [[9], low.bytes])
        let raw = Block(hashing: [9], codec: .raw)
        let refused = Block(hashing: (["e": .array([value(raw.cid, layer0)]), "l": .null] as CBORValue).encode())
        #expect(try walked(refused, with: [raw], "a raw record").error == .mst)
        let missing = Block(hashing: (["e": .array([value(CID(hashing: [8]), layer0)]), "l": .null] as CBORValue).encode())
        #expect(try walked(missing, "a record that is missing").error == .missingBlock)
    }

    @Test("the nodes above one key are bounded together")
    func path() throws {
        let low = node([entry(0, layer0)])
        let root = node([entry(0, layer1)], left: low.cid)
        let index = try BlockIndex(car: CARWriter.encode(roots: [root.cid], blocks: [root, low, Block(cid: leaf, bytes: [9])]))
        let bytes = root.bytes.count + low.bytes.count
        #expect(throws: Never.self) { try TreeWalk(root: root.cid, store: index, pathBytesMax: bytes) }
        let error = #expect(throws: FormatError.self) { try TreeWalk(root: root.cid, store: index, pathBytesMax: bytes - 1) }
        #expect(error?.code == .tooLarge)
    }

    @Test("nodes that repeat themselves are refused without walking them again and again")
    func repetition() throws {
        // Each node refers twice to the one below it: 2^64 visits, if each reference were followed.
        var below = node([entry(0, layer0)])
        var all = [below]
        for _ in 0..<64 {
            below = node([entry(0, layer1, right: below.cid)], left: below.cid)
            all.append(below)
        }
        let root = below
        all.removeLast()
        try refuses(root, with: all, "a tree that repeats itself")
    }
}
