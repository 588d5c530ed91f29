/// A repository as `getRepo` gives it, over an index and a source of its blocks: what ``Repository`` is, without all bytes in one array.
///
/// Every block's digest was compared when the archive was read (``CARStream``); the tree is checked while it is walked. Memory is the index, 17 bytes a
/// block, and what the source and a walk take. Source: the repository specification.
public struct RepositoryArchive: Sendable {
    public let commitCID: CID
    public let commit: CommitBlock
    private let blocks: ArchiveBlocks

    /// - Parameters:
    ///   - root: the first of the archive's.
    ///   - index: made over `source`.
    ///
    /// Throws `missingBlock` where the commit is not there, `cbor` and `message` where it is none.
    public init(root: CID, index: ArchiveIndex, source: any BlockSource) throws(FormatError) {
        blocks = ArchiveBlocks(index: index, source: source)
        guard root.codec == .dagCBOR else { throw FormatError(.car, "a root that is no dag-cbor") }
        var commit: CommitBlock?
        _ = try blocks.withBlock(root, among: index.candidates(root)) { _, bytes throws(FormatError) in
            commit = try CommitBlock(bytes, range: 0..<bytes.count)
        }
        guard let commit else { throw FormatError(.missingBlock, "the commit is not in the archive") }
        commitCID = root
        self.commit = commit
    }

    /// Reads and verifies an archive that is in memory. Throws as ``CARStream``, and as the other initializer.
    public init(car bytes: [UInt8], blocksMax: Int = Limits.repositoryBlocks) throws(FormatError) {
        var stream = CARStream()
        var builder = ArchiveIndex.Builder(blocksMax: blocksMax)
        try stream.push(bytes) { cid, offset, data throws(FormatError) in try builder.add(cid, offset: offset, count: data.count) }
        try stream.finish()
        let source = ArchiveBytes(bytes)
        try self.init(root: stream.roots[0], index: builder.index(source), source: source)
    }

    /// What a walk reads ahead where nothing else is said.
    public static let aheadBytes = 16 << 20

    /// How many blocks there are, repeated ones counted once.
    public var blockCount: Int { blocks.count }

    /// Whether the commit's signature is this key's.
    public func isSigned(by key: VerificationKey) -> Bool { commit.isSigned(by: key) }

    /// A walk over all records, in order of keys. Throws as ``RepositoryWalk``, where already the first way down a tree shows that it is none.
    ///
    /// - Parameter aheadBytes: of records that are read ahead where the source is at no random access.
    public func walk(aheadBytes: Int = Self.aheadBytes) throws(FormatError) -> ArchiveWalk {
        try ArchiveWalk(root: commit.data, blocks: blocks, aheadBytes: aheadBytes)
    }
}
