import TestSupport
import Testing

@testable import ATProto

@Suite("Strangers' archives, read in pieces")
struct FuzzWalkTests {
    @Test("an archive in pieces is taken or refused as it is in one, with the same blocks up to the fault")
    func streams() throws {
        let mutator = ByteMutator(corpus: try FuzzCorpus.archives(), tokens: FuzzTokens.cbor)
        try FuzzRun("archives in pieces", inputs: 12_000)(mutator) { bytes in
            var blocks = 0
            var stream = CARStream()
            var failure: FormatError?
            // The size of the pieces depends on the input alone.
            let size = 1 + (bytes.count * 31 + Int(bytes.first ?? 0)) % 700
            do throws(FormatError) {
                for start in stride(from: 0, to: bytes.count, by: size) {
                    try stream.push(Array(bytes[start..<min(bytes.count, start + size)])) { cid, offset, data in
                        blocks += 1
                        if data.count > bytes.count - offset || CID(hashing: Array(data), codec: cid.codec) != cid { blocks += 1_000_000 }
                    }
                }
                try stream.finish()
            } catch {
                failure = error
            }
            guard blocks <= bytes.count / 37 else { return .broken("\(blocks) blocks, or one that was not verified") }
            let index = try? BlockIndex(car: bytes)
            guard failure == nil else {
                guard (failure?.offset ?? 0) <= bytes.count else { return .broken("an error behind the end") }
                return index == nil || failure?.code == .tooLarge ? .refused : .broken("\(failure.map { "\($0)" } ?? "") in pieces, and good in one")
            }
            guard let index else { return .broken("good in pieces only") }
            return index.count == blocks && index.roots == stream.roots ? .accepted : .broken("\(blocks) blocks of \(index.count)")
        }
    }

    @Test("a repository is walked or refused the same three ways: whole, over an index in memory, over an index out of a file")
    func repositories() throws {
        let (_, first, _) = try FuzzCorpus.host()
        let all = [first.commit] + first.blocks
        try FuzzRun("repositories", inputs: 2_000)(generate: { random in
            var blocks = all
            for _ in 0..<Int.random(in: 0...3, using: &random) {
                let victim = Int.random(in: blocks.indices, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: blocks.remove(at: victim)
                case 1: blocks.append(blocks[victim])
                case 2: blocks.swapAt(victim, 0)
                default:
                    guard let value = try? CBORValue.decode(blocks[victim].bytes) else { continue }
                    blocks[victim].bytes = ValueMutator.mutate(value, links: all.map(\.cid), &random).encode()
                }
            }
            return CARWriter.encode(roots: [first.commit.cid], blocks: blocks)
        }) { bytes in Self.compare(bytes) }
    }

    /// Archives whose addresses are not their blocks': digests are not compared, so nodes may stand in a ring.
    private static func compare(_ bytes: [UInt8]) -> FuzzVerdict {
        guard let whole = try? BlockIndex(car: bytes, verifying: false), let root = whole.roots.first, let range = whole.range(of: root) else {
            return .refused
        }
        let data = (try? CommitBlock(bytes, range: range))?.data ?? root
        let expected = WalkOutcome(root: data, whole: whole)
        for source in [ArchiveBytes(bytes), OrderedSource(bytes)] as [any BlockSource] {
            guard let index = try? index(bytes, source) else { return .broken("no index") }
            let walk = WalkOutcome(walk: { () throws(FormatError) in
                try ArchiveWalk(root: data, blocks: ArchiveBlocks(index: index, source: source), aheadBytes: 300)
            })
            guard walk == expected else { return .broken("\(walk.records.count) records, then \(String(describing: walk.error))") }
        }
        return expected.error == nil ? .accepted : .refused
    }

    private static func index(_ bytes: [UInt8], _ source: some BlockSource) throws -> ArchiveIndex {
        try ArchiveIndex(car: bytes, over: source, verifying: false)
    }
}
