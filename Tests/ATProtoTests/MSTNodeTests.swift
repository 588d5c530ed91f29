import ATProto
import Testing

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

    private func refuses(_ root: Block, with others: [Block] = [], _ why: Comment) throws {
        let index = try BlockIndex(car: CARWriter.encode(roots: [root.cid], blocks: [root] + others + [Block(cid: leaf, bytes: [9])]))
        #expect(throws: FormatError.self, why) { try MerkleSearchTree(root: root.cid, blocks: index) }
        #expect(throws: FormatError.self, why) {
            var walk = try RepositoryWalk(root: root.cid, blocks: index)
            while try walk.next() != nil {}
        }
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
