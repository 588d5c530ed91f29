import Synchronization

@testable import ATProto

/// A repository as a list of blocks, the commit first, that tests change and put into any order.
struct TestArchive {
    /// Blocks as they were signed.
    var blocks: [Block]
    var root: CID

    /// Records of one or two collections; some have equal bytes.
    init(records: Int, using random: inout some RandomNumberGenerator) throws {
        var tree = MerkleSearchTree()
        blocks = []
        for _ in 0..<records {
            let path = "com.example.c\(Int.random(in: 0..<2, using: &random))/k\(Int.random(in: 0..<1_000_000, using: &random))"
            let record = TestRepository.post("\(Int.random(in: 0..<(records * 2), using: &random))")
            let block = Block(hashing: record.encode())
            guard tree[path] == nil else { continue }
            try tree.insert(path, block.cid)
            blocks.append(block)
        }
        blocks += tree.allBlocks()
        let commit = try Self.commit(tree.rootCID())
        root = commit.cid
        blocks.insert(commit, at: 0)
    }

    /// A commit over nodes and records that a test has made up.
    init(data: CID, blocks: [Block]) throws {
        let commit = try Self.commit(data)
        self.blocks = [commit] + blocks
        root = commit.cid
    }

    static func key() throws -> SigningKey { try SigningKey(.k256, secret: [UInt8](repeating: 7, count: 32)) }

    private static func commit(_ data: CID) throws -> Block {
        try CommitBlock.signed(did: "did:plc:ewvi7nxzyoun6zhxrhs64oiz", rev: "3lhj4kpqtq22a", data: data, with: key()).block
    }

    var car: [UInt8] { CARWriter.encode(roots: [root], blocks: blocks) }

    /// In another order, and some of them twice.
    func shuffled(using random: inout some RandomNumberGenerator) -> TestArchive {
        var other = self
        for block in blocks where Int.random(in: 0..<8, using: &random) == 0 { other.blocks.append(block) }
        other.blocks.shuffle(using: &random)
        return other
    }
}

/// What a walk has given before it ended.
struct WalkOutcome: Equatable {
    struct Record: Equatable {
        var path: String
        var cid: CID
        var bytes: [UInt8]
    }

    var records: [Record] = []
    var error: FormatError.Code?

    init(_ archive: () throws(FormatError) -> RepositoryArchive, aheadBytes: Int = RepositoryArchive.aheadBytes) {
        do throws(FormatError) { try read(archive().walk(aheadBytes: aheadBytes)) } catch { self.error = error.code }
    }

    init(walk: () throws(FormatError) -> ArchiveWalk) {
        do throws(FormatError) { try read(walk()) } catch { self.error = error.code }
    }

    /// By the other way through a repository, which has all of it in one array.
    init(whole repository: () throws(FormatError) -> Repository) {
        do throws(FormatError) {
            let repository = try repository()
            try read(repository.walk(), repository.blocks)
        } catch { self.error = error.code }
    }

    init(root: CID, whole blocks: BlockIndex) {
        do throws(FormatError) { try read(RepositoryWalk(root: root, blocks: blocks), blocks) } catch { self.error = error.code }
    }

    private mutating func read(_ walk: consuming ArchiveWalk) throws(FormatError) {
        while try walk.next({ records.append(Record(path: $0.path, cid: $0.cid, bytes: Array($0.bytes))) }) {}
    }

    private mutating func read(_ walk: consuming RepositoryWalk, _ blocks: BlockIndex) throws(FormatError) {
        while let record = try walk.next() {
            records.append(Record(path: record.path, cid: record.cid, bytes: Array(blocks.bytes[record.range])))
        }
    }
}

/// An archive that wants to be read from front to back, as one in a file, and knows where it was read.
final class OrderedSource: BlockSource {
    let bytes: [UInt8]
    private let reads = Mutex<[Range<Int>]>([])

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    func withBytes(at offset: Int, count: Int, _ body: (UnsafeRawBufferPointer) throws(FormatError) -> Void) throws(FormatError) {
        reads.withLock { $0.append(offset..<(offset + count)) }
        // A copy that ends with the call: who keeps what was lent reads what is no longer there.
        try Array(bytes[offset..<(offset + count)]).withRaw(body)
    }

    func withAllBytes(_ body: (UnsafeRawBufferPointer) throws(FormatError) -> Void) throws(FormatError) -> Bool { false }

    func takeReads() -> [Range<Int>] {
        reads.withLock { reads in
            defer { reads = [] }
            return reads
        }
    }
}

extension ArchiveIndex {
    /// Of a CAR that comes in one piece.
    init(car bytes: [UInt8], over source: some BlockSource, verifying: Bool = true) throws(FormatError) {
        var stream = CARStream(verifying: verifying)
        var builder = Builder()
        try stream.push(bytes) { cid, offset, data throws(FormatError) in try builder.add(cid, offset: offset, count: data.count) }
        try stream.finish()
        self = try builder.index(source)
    }
}

extension RepositoryArchive {
    init(car bytes: [UInt8], over source: some BlockSource) throws(FormatError) {
        let root = try CARReader(bytes).roots[0]
        try self.init(root: root, index: ArchiveIndex(car: bytes, over: source), source: source)
    }
}
