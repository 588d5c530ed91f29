/// A repository as `getRepo` gives it: a CAR with the signed commit at its root.
///
/// Every block's digest is checked when it is made; the tree is checked while it is walked. Memory is the CAR and its index, plus one node
/// a layer. Source: the repository specification.
public struct Repository: Sendable {
    public let commitCID: CID
    public let commit: CommitBlock
    public let blocks: BlockIndex

    /// Throws `car`, `cid`, `cbor`, `message` where the CAR or its commit is none, `missingBlock` where the commit is not there.
    public init(car bytes: [UInt8]) throws(FormatError) {
        blocks = try BlockIndex(car: bytes)
        guard let root = blocks.roots.first, let range = blocks.range(of: root) else {
            throw FormatError(.missingBlock, "the commit is not in the archive")
        }
        guard root.codec == .dagCBOR else { throw FormatError(.car, "a root that is no dag-cbor") }
        commitCID = root
        commit = try CommitBlock(bytes, range: range)
    }

    /// A walk over all records, in order of keys.
    public func walk() throws(FormatError) -> RepositoryWalk { try RepositoryWalk(root: commit.data, blocks: blocks) }
}
