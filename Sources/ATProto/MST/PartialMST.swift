/// The part of a tree that a commit brings: its changed nodes and those that prove the change. What is missing is known by its address.
///
/// Source: the sync specification (1.1), inversion of operations.
public struct PartialMST: Sendable {
    private var arena: MSTArena

    /// Reads what is there under `root`; throws `missingBlock` where the root itself is not, `mst` or `cbor` where a node is none.
    public init(root: CID, blocks: BlockIndex) throws(FormatError) { arena = try MSTArena(root: root, blocks: blocks, partial: true) }

    /// Takes the nodes that a walk has read already.
    init(root: CID, contents: CommitContents) throws(FormatError) {
        arena = try MSTArena(root: root, blocks: contents.index, partial: true, read: contents.nodes)
    }

    /// The value of a key, nil where it is not in the tree; throws `missingBlock` where the blocks do not say.
    public func value(of key: String) throws(FormatError) -> CID? { try arena.value(of: MSTEntryKey(key)) }

    /// Undoes operations of a commit on the tree after it and gives the root before it.
    ///
    /// Throws `mst` where an operation does not fit the tree (its value after is another, its key is still there after a delete, or one key
    /// has two operations), and `missingBlock` where the blocks do not suffice. Whoever compares the result with the root that the commit
    /// names as the one before has proof that the operations are all of the difference.
    public mutating func invert(_ operations: [MSTOperation]) throws(FormatError) -> CID {
        guard operations.count < 2 || Set(operations.map { Array($0.key.utf8) }).count == operations.count else {
            throw FormatError(.mst, "two operations on one key")
        }
        // What was deleted goes in first: its place lies on the paths that the proof has. Taking out before that could join subtrees
        // whose nodes are not there.
        for operation in operations where operation.after == nil { try invert(operation) }
        for operation in operations where operation.after != nil { try invert(operation) }
        return arena.rootCID()
    }

    private mutating func invert(_ operation: MSTOperation) throws(FormatError) {
        let key = MSTEntryKey(operation.key)
        let found: CID?
        if let before = operation.before {
            found = try arena.set(key, to: before)
        } else {
            found = try arena.remove(key)
        }
        guard found == operation.after else { throw FormatError(.mst, "an operation that is not what the tree shows") }
        guard operation.before != operation.after else { throw FormatError(.mst, "an operation that changes nothing") }
    }
}
