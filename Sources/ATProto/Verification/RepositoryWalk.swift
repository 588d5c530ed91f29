/// Visits the records under a root in order of keys, with all checks that a whole tree allows; a walk can be paused and taken up again.
///
/// Refused: missing nodes and records, a key on another layer than its hash says, keys out of order, nodes without keys or referred to
/// twice (so also cycles and trees that repeat themselves). At most 129 nodes are held.
public struct RepositoryWalk: Sendable {
    public struct Record: Hashable, Sendable {
        /// `collection/rkey`.
        public var path: String
        public var cid: CID
        /// Where the record lies in the bytes of the block index.
        public var range: Range<Int>
    }

    private struct Step {
        var node: MSTNode
        /// The next entry to visit.
        var position = 0
    }

    private let blocks: BlockIndex
    private var isUsed: [Bool]
    private var stack: [Step] = []
    private var lastKey: MSTEntryKey?

    public init(root: CID, blocks: BlockIndex) throws(FormatError) {
        self.blocks = blocks
        isUsed = Array(repeating: false, count: blocks.count)
        var node = try read(root, layer: 0)
        guard root != MSTArena.emptyRoot, let first = node.entries.first else {
            // Where digests were not checked, another node may stand under this address, and an empty one under any.
            guard root == MSTArena.emptyRoot, node.isEmpty else { throw FormatError(.mst, "a root without entries") }
            return
        }
        node.layer = first.key.layer
        try enter(node)
    }

    /// The next record, nil after the last.
    public mutating func next() throws(FormatError) -> Record? {
        while let top = stack.indices.last {
            let position = stack[top].position
            guard position < stack[top].node.entries.count else {
                stack.removeLast()
                continue
            }
            let entry = stack[top].node.entries[position]
            let layer = stack[top].node.layer
            stack[top].position += 1
            guard entry.key.layer == layer else { throw FormatError(.mst, "a key on another layer than its hash says") }
            guard lastKey?.precedes(entry.key) ?? true else { throw FormatError(.mst, "keys that are not in order") }
            lastKey = entry.key
            try descend(entry.right, from: layer)
            guard let range = blocks.range(of: entry.value) else {
                throw FormatError(.missingBlock, "the record \(entry.key.text) is not there")
            }
            return Record(path: entry.key.text, cid: entry.value, range: range)
        }
        return nil
    }

    private mutating func enter(_ node: MSTNode) throws(FormatError) {
        stack.append(Step(node: node))
        try descend(node.left, from: node.layer)
    }

    // Recursion with `enter` is bounded by the layers.
    private mutating func descend(_ child: MSTChild, from layer: Int) throws(FormatError) {
        guard case .stub(let cid) = child else { return }
        guard layer > 0 else { throw FormatError(.mst, "a child below the lowest layer") }
        let node = try read(cid, layer: layer - 1)
        guard !node.isEmpty else { throw FormatError(.mst, "a node without keys below the root") }
        try enter(node)
    }

    private mutating func read(_ cid: CID, layer: Int) throws(FormatError) -> MSTNode {
        guard let position = blocks.position(of: cid) else { throw MSTArena.missing(cid) }
        guard cid.codec == .dagCBOR, !isUsed[position] else { throw FormatError(.mst, "a node that is referred to twice, or raw") }
        isUsed[position] = true
        let range = blocks.range(at: position)
        return try blocks.bytes.withRaw { buffer throws(FormatError) in try MSTNode(block: buffer, range: range, cid: cid, layer: layer) }
    }
}
