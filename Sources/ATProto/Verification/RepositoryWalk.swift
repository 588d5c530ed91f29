/// Visits the records under a root in order of keys, with all checks that a whole tree allows; a walk can be paused and taken up again.
///
/// Refused: missing nodes and records, a key on another layer than its hash says, keys out of order, nodes without keys or referred to
/// twice (so also cycles and trees that repeat themselves), records that are no dag-cbor. At most 129 nodes are held.
public struct RepositoryWalk: Sendable {
    public struct Record: Hashable, Sendable {
        /// `collection/rkey`.
        public var path: String
        public var cid: CID
        /// Where the record lies in the bytes of the block index.
        public var range: Range<Int>
    }

    private var tree: TreeWalk<BlockIndex>

    public init(root: CID, blocks: BlockIndex) throws(FormatError) { tree = try TreeWalk(root: root, store: blocks) }

    /// The next record, nil after the last.
    public mutating func next() throws(FormatError) -> Record? {
        guard let cid = try tree.next() else { return nil }
        let path = tree.path
        guard let range = tree.store.range(of: cid) else { throw FormatError(.missingBlock, "the record \(path) is not there") }
        return Record(path: path, cid: cid, range: range)
    }
}
