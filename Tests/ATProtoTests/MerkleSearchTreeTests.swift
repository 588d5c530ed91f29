import ATProto
import Testing

@Suite("Merkle search tree")
struct MerkleSearchTreeTests {
    @Test("keys have the published layers", .enabled(if: Conformance.isPresent, Conformance.absent))
    func layers() throws {
        for vector in try Conformance.objects("mst/key_heights.json") {
            let key = try #require(vector["key"]?.string)
            #expect(JSONValue.integer(Int64(MSTKey.layer(of: key))) == vector["height"], "\(key)")
        }
        // The digit in an example key is its layer.
        for key in try Conformance.lines("mst/example_keys.txt") {
            #expect(String(MSTKey.layer(of: key)) == key.dropFirst().prefix(1), "\(key)")
        }
    }

    @Test("keys share the published prefixes", .enabled(if: Conformance.isPresent, Conformance.absent))
    func prefixes() throws {
        for vector in try Conformance.objects("mst/common_prefix.json") {
            let left = Array(try #require(vector["left"]?.string).utf8)
            let right = Array(try #require(vector["right"]?.string).utf8)
            #expect(.integer(Int64(MSTKey.commonPrefix(left, right))) == vector["len"])
        }
    }

    @Test(
        "published commit proofs: roots agree, the blocks suffice, and the operations invert", .enabled(if: Conformance.isPresent, Conformance.absent)
    )
    func proofs() throws {
        let fixtures = try Conformance.objects("firehose/commit-proof-fixtures.json")
        #expect(!fixtures.isEmpty)
        for fixture in fixtures {
            let comment = fixture["comment"]?.string ?? ""
            let leaf = try cid(fixture["leafValue"]?.string)
            let strings = { (name: String) in (fixture[name]?.array ?? []).compactMap(\.string) }
            var tree = MerkleSearchTree()
            for key in strings("keys") { try tree.insert(key, leaf) }
            #expect(try tree.rootCID() == cid(fixture["rootBeforeCommit"]?.string), "\(comment)")
            tree.mark()
            for key in strings("adds") { try tree.insert(key, leaf) }
            for key in strings("dels") { try tree.delete(key) }
            #expect(try tree.rootCID() == cid(fixture["rootAfterCommit"]?.string), "\(comment)")
            let changed = strings("adds") + strings("dels")
            let blocks = tree.commitBlocks(for: changed)
            let expected = try strings("blocksInProof").map { try cid($0) }
            #expect(Set(blocks.map(\.cid)).isSuperset(of: expected), "\(comment)")
            let minimal = blocks.filter { expected.contains($0.cid) }
            let operations =
                strings("adds").map { MSTOperation(key: $0, before: nil, after: leaf) }
                + strings("dels").map { MSTOperation(key: $0, before: leaf, after: nil) }
            for blocks in [blocks, minimal] {
                let index = try BlockIndex(car: CARWriter.encode(roots: [tree.rootCID()], blocks: blocks))
                var partial = try PartialMST(root: tree.rootCID(), blocks: index)
                #expect(try partial.invert(operations) == cid(fixture["rootBeforeCommit"]?.string), "\(comment)")
            }
        }
    }

    @Test("an empty tree has the published root, and a tree emptied again has it too")
    func empty() throws {
        var tree = MerkleSearchTree()
        #expect(tree.rootCID().description == "bafyreie5737gdxlw5i64vzichcalba3z2v5n6icifvx5xytvske7mr3hpm")
        try tree.insert("a.b.c/self", CID(hashing: [1]))
        try tree.delete("a.b.c/self")
        #expect(tree.rootCID().description == "bafyreie5737gdxlw5i64vzichcalba3z2v5n6icifvx5xytvske7mr3hpm")
        #expect(tree.allBlocks().count == 1)
    }

    @Test("keys that are not valid, there already, or not there are refused")
    func impossible() throws {
        var tree = MerkleSearchTree()
        let value = CID(hashing: [1])
        for key in ["", "a", "a/", "/a", "a/b/c", "a/b c", "a/é", "a/" + String(repeating: "x", count: 1023)] {
            #expect(throws: FormatError.self) { try tree.insert(key, value) }
        }
        try tree.insert("a/b", value)
        #expect(throws: FormatError.self) { try tree.insert("a/b", value) }
        #expect(throws: FormatError.self) { try tree.update("a/c", value) }
        #expect(throws: FormatError.self) { try tree.delete("a/c") }
        #expect(tree.count == 1)
    }

    @Test(
        "random commits: the incremental root is the one built anew, the proof inverts, a wrong operation does not",
        arguments: 1...24 as ClosedRange<UInt64>)
    func randomCommits(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var tree = MerkleSearchTree()
        var model: [String: CID] = [:]
        // Small key spaces grow and empty the tree often; the large one has many layers.
        let space = [4, 12, 60, 400, 4000][Int(seed % 5)]
        for round in 0..<40 {
            let before = tree.rootCID()
            tree.mark()
            var operations: [MSTOperation] = []
            var touched: Set<String> = []
            for _ in 0..<Int.random(in: 1...(seed % 2 == 0 ? 3 : 25), using: &random) {
                let key = "com.example.c\(Int.random(in: 0..<2, using: &random))/k\(Int.random(in: 0..<space, using: &random))"
                guard touched.insert(key).inserted else { continue }
                let after = CID(hashing: [UInt8(round), UInt8.random(in: 0...255, using: &random)])
                if let value = model[key] {
                    if Int.random(in: 0..<3, using: &random) == 0 {
                        guard value != after else { continue }
                        try tree.update(key, after)
                        model[key] = after
                        operations.append(MSTOperation(key: key, before: value, after: after))
                    } else {
                        try tree.delete(key)
                        model[key] = nil
                        operations.append(MSTOperation(key: key, before: value, after: nil))
                    }
                } else {
                    try tree.insert(key, after)
                    model[key] = after
                    operations.append(MSTOperation(key: key, before: nil, after: after))
                }
            }
            operations.shuffle(using: &random)
            let root = tree.rootCID()
            let anew = try built(model)
            try #require(root == anew, "seed \(seed) round \(round)")
            let blocks = tree.commitBlocks(for: operations.map(\.key))
            let index = try BlockIndex(car: CARWriter.encode(roots: [root], blocks: blocks))
            var partial = try PartialMST(root: root, blocks: index)
            let undone = try partial.invert(operations)
            try #require(undone == before, "seed \(seed) round \(round)")
            try expectRefused(operations, root, index, before, &random)
            let whole = try BlockIndex(car: CARWriter.encode(roots: [root], blocks: tree.allBlocks()))
            var read = try MerkleSearchTree(root: root, blocks: whole)
            #expect(read.count == model.count && read.rootCID() == root)
        }
    }

    /// One operation left out or given another value never leads to the root before.
    private func expectRefused(
        _ operations: [MSTOperation], _ root: CID, _ index: BlockIndex, _ before: CID, _ random: inout SeededGenerator
    ) throws {
        guard let victim = operations.indices.randomElement(using: &random) else { return }
        var wrong = operations
        if Bool.random(using: &random) {
            wrong.remove(at: victim)
        } else if wrong[victim].after == nil {
            wrong[victim].before = CID(hashing: [1, 2, 3])
        } else {
            wrong[victim].after = CID(hashing: [1, 2, 3])
        }
        var partial = try PartialMST(root: root, blocks: index)
        #expect((try? partial.invert(wrong)) != before)
    }

    private func built(_ model: [String: CID]) throws -> CID {
        var tree = MerkleSearchTree()
        for (key, value) in model { try tree.insert(key, value) }
        return tree.rootCID()
    }

    @Test("only new nodes are in a diff, and few of them in a large tree")
    func diff() throws {
        var tree = MerkleSearchTree()
        for number in 0..<5000 { try tree.insert("com.example.post/k\(number)", CID(hashing: [1])) }
        _ = tree.rootCID()
        let known = Set(tree.allBlocks().map(\.cid))
        tree.mark()
        #expect(tree.diff().isEmpty)
        try tree.insert("com.example.post/another", CID(hashing: [2]))
        let diff = tree.diff()
        #expect(diff.first?.cid == tree.rootCID())
        #expect(diff.count < 12)
        #expect(known.isDisjoint(with: diff.map(\.cid)))
        #expect(Set(tree.allBlocks().map(\.cid)).subtracting(known) == Set(diff.map(\.cid)))
    }

    @Test("a copy is independent")
    func copies() throws {
        var tree = MerkleSearchTree()
        try tree.insert("a/b", CID(hashing: [1]))
        let root = tree.rootCID()
        var copy = tree
        try copy.insert("a/c", CID(hashing: [1]))
        #expect(tree.rootCID() == root)
        #expect(copy.rootCID() != root)
        #expect(tree["a/c"] == nil && copy["a/c"] != nil)
    }
}
