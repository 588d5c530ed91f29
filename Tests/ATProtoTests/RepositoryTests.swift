import ATProto
import Testing

@Suite("Repositories")
struct RepositoryTests {
    @Test("a real repository walks in order, every record is there and turns into JSON", .enabled(if: Conformance.isPresent, Conformance.absent))
    func little() throws {
        let repository = try Repository(car: Conformance.bytes("repositories/little.car"))
        var walk = try repository.walk()
        var paths: [String] = []
        while let record = try walk.next() {
            paths.append(record.path)
            var json: [UInt8] = []
            try DAGJSON.write(record.range, of: repository.blocks.bytes, into: &json)
            let value = try DAGJSON.record(json)
            #expect(value["$type"] != nil)
            #expect(CID(hashing: value.encode()) == record.cid, "\(record.path) reads back to the same bytes")
        }
        #expect(paths.count > 100)
        #expect(paths == paths.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
        var tree = try MerkleSearchTree(root: repository.commit.data, blocks: repository.blocks)
        #expect(tree.count == paths.count && tree.rootCID() == repository.commit.data)
        var anew = MerkleSearchTree()
        tree.forEach { key, value in #expect(throws: Never.self) { try anew.insert(key, value) } }
        #expect(anew.rootCID() == repository.commit.data)
    }

    @Test("a real empty repository has no record", .enabled(if: Conformance.isPresent, Conformance.absent))
    func empty() throws {
        let repository = try Repository(car: Conformance.bytes("repositories/empty.car"))
        var walk = try repository.walk()
        #expect(try walk.next() == nil)
    }

    @Test("a repository with one block missing is refused, whichever it is")
    func missing() throws {
        var host = try TestRepository()
        let draft = try host.commit((0..<30).map { ("app.bsky.feed.post/k\($0)", TestRepository.post("\($0)")) })
        let all = [draft.commit] + draft.blocks
        #expect(try count(all, root: draft.commit.cid) == 30)
        for index in all.indices {
            var some = all
            some.remove(at: index)
            #expect(throws: FormatError.self) { try count(some, root: draft.commit.cid) }
        }
    }

    @Test("where digests are not checked, an empty node is an empty tree under its own address only, and nothing else is one under it")
    func emptyRoots() throws {
        var nothing = MerkleSearchTree()
        let empty = try #require(nothing.allBlocks().first)
        var host = try TestRepository()
        let root = try #require(host.commit([("a.b.c/x", TestRepository.post("x"))]).blocks.first)
        func walked(_ cid: CID, _ bytes: [UInt8]) throws -> Bool {
            let block = Block(cid: cid, bytes: bytes)
            let index = try BlockIndex(car: CARWriter.encode(roots: [cid], blocks: [block]), verifying: false)
            var walk = try RepositoryWalk(root: cid, blocks: index)
            return try walk.next() == nil
        }
        #expect(try walked(empty.cid, empty.bytes))
        #expect(throws: FormatError.self) { try walked(CID(hashing: [1]), empty.bytes) }
        #expect(throws: FormatError.self) { try walked(empty.cid, root.bytes) }
    }

    private func count(_ blocks: [Block], root: CID) throws -> Int {
        let repository = try Repository(car: CARWriter.encode(roots: [root], blocks: blocks))
        var walk = try repository.walk()
        var count = 0
        while try walk.next() != nil { count += 1 }
        return count
    }
}
