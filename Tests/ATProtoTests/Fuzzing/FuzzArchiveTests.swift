import Events
import TestSupport
import Testing

@testable import ATProto

@Suite("Strangers' archives and trees")
struct FuzzArchiveTests {
    @Test("an archive is indexed or refused; a section costs at least 37 bytes, whatever lengths it declares")
    func archives() throws {
        let mutator = ByteMutator(corpus: try FuzzCorpus.archives(), tokens: FuzzTokens.cbor)
        try FuzzRun("archives", inputs: 12_000)(mutator) { bytes in
            guard let index = try? BlockIndex(car: bytes, verifying: false) else { return .refused }
            guard index.count <= bytes.count / 37 else { return .broken("\(index.count) blocks") }
            var reader = try? CARReader(bytes)
            var blocks: [Block] = []
            var isIntact = true
            while let section = try? reader?.next() {
                guard section.range.upperBound <= bytes.count else { return .broken("a section outside of the archive") }
                isIntact = isIntact && reader?.isIntact(section) == true
                blocks.append(Block(cid: section.cid, bytes: Array(bytes[section.range])))
            }
            guard blocks.count == index.count else { return .broken("walked \(blocks.count) of \(index.count)") }
            guard ((try? BlockIndex(car: bytes)) != nil) == isIntact else { return .broken("digests are judged in two ways") }
            // Whatever was read can be written, and reads as the same.
            guard let again = try? BlockIndex(car: CARWriter.encode(roots: index.roots, blocks: blocks), verifying: false) else {
                return .broken("does not read what was written")
            }
            return again.roots == index.roots && again.count == index.count ? .accepted : .broken("another archive")
        }
    }

    /// Archives whose addresses are not their blocks': only so can nodes stand in a ring. Verified archives cannot hold one, but trees must not rely on it.
    @Test("a tree with rings, repeats, empty nodes and wrong layers is refused, after at most one visit a block")
    func trees() throws {
        let (_, first, second) = try FuzzCorpus.host()
        let blocks = first.blocks + second.blocks
        let cids = blocks.map(\.cid)
        let operations = second.message.ops.map { MSTOperation(key: $0.path, before: $0.prev, after: $0.cid) }
        try FuzzRun("trees", inputs: 3_000)(generate: { random in
            var blocks = blocks
            for _ in 0..<Int.random(in: 0...3, using: &random) {
                let victim = Int.random(in: blocks.indices, using: &random)
                guard let value = try? CBORValue.decode(blocks[victim].bytes) else { continue }
                // The address stays: whoever points at it now points at the changed block.
                blocks[victim].bytes = ValueMutator.mutate(value, links: cids, &random).encode()
            }
            let root = Int.random(in: 0..<3, using: &random) > 0 ? blocks[0].cid : cids.randomElement(using: &random) ?? blocks[0].cid
            return CARWriter.encode(roots: [root], blocks: blocks)
        }) { bytes in
            guard let index = try? BlockIndex(car: bytes, verifying: false), let root = index.roots.first else { return .refused }
            if var partial = try? PartialMST(root: root, blocks: index) {
                _ = try? partial.invert(operations)
                _ = try? partial.value(of: "app.bsky.feed.post/k7")
            }
            guard var walk = try? RepositoryWalk(root: root, blocks: index) else { return .refused }
            var keys: [String] = []
            while true {
                switch Result(catching: { () throws(FormatError) in try walk.next() }) {
                case .failure: return .refused
                case .success(let record?): keys.append(record.path)
                case .success(nil):
                    let tree: MerkleSearchTree
                    do throws(FormatError) { tree = try MerkleSearchTree(root: root, blocks: index) } catch {
                        return .broken("a walk takes what a tree refuses: \(error)")
                    }
                    return tree.count == keys.count ? .accepted : .broken("\(keys.count) records of \(tree.count)")
                }
                if keys.count > 5 * index.count { return .broken("a walk visits more than there is") }
            }
        }
    }

    /// Node blocks by themselves, by bytes.
    @Test("a node reads or is refused")
    func nodes() throws {
        let (_, first, _) = try FuzzCorpus.host()
        let nodes = first.blocks.filter { (try? CBORValue.decode($0.bytes))?["e"] != nil }.map(\.bytes)
        try FuzzRun("nodes", inputs: 12_000)(ByteMutator(corpus: nodes, tokens: FuzzTokens.cbor, bytesMax: 8_192)) { bytes in
            let cid = CID(hashing: bytes)
            let index = try? BlockIndex(car: CARWriter.encode(roots: [cid], blocks: [Block(cid: cid, bytes: bytes)]))
            guard let index else { return .broken("an archive of one block") }
            guard
                let node = try? bytes.withRaw({ buffer throws(FormatError) in try MSTNode(block: buffer, range: 0..<bytes.count, cid: cid, layer: 0) }
                )
            else { return (try? MerkleSearchTree(root: cid, blocks: index)) == nil ? .refused : .broken("a tree takes a node that is none") }
            _ = try? PartialMST(root: cid, blocks: index)
            for (one, next) in zip(node.entries, node.entries.dropFirst()) where !one.key.precedes(next.key) { return .broken("order") }
            return .accepted
        }
    }
}
