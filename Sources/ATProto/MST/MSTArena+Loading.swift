/// The nodes among an archive's blocks, by the numbers of the blocks: as they were read in one pass over all of them.
struct MSTReadNodes: Sendable {
    var blocks: MSTBlocks
    /// Nil for a block that was not read as a node, be it none or one that nobody has tried.
    var nodes: [MSTBlock?]
}

extension MSTArena {
    /// Builds the tree under `root` from blocks.
    ///
    /// `partial`: a node below the root that is not among the blocks stays a stub; otherwise it is refused. Checked, not believed: each key's
    /// layer, children one layer down, keys in order over the whole tree, no node without keys below it, no node referred to twice. So the
    /// depth is at most 129, and the work at most one visit a block, whatever the blocks say. `read`: nodes that need not be read again.
    init(root cid: CID, blocks: BlockIndex, partial: Bool, read: MSTReadNodes? = nil) throws(FormatError) {
        self.init()
        if cid == Self.emptyRoot { return }
        var loader = Loader(blocks: blocks, partial: partial, read: read)
        guard var top = try loader.read(cid, layer: 0) else { throw Self.missing(cid) }
        guard let first = top.entries.first else { throw FormatError(.mst, "a root without entries") }
        top.layer = first.key.layer
        reserve(blocks.count)
        root = .node(try add(top, after: nil, before: nil, &loader))
    }

    private struct Loader {
        let blocks: BlockIndex
        let partial: Bool
        let read: MSTReadNodes?
        /// The keys of all nodes that were read.
        let keys: [UInt8]
        var isUsed: [Bool]

        init(blocks: BlockIndex, partial: Bool, read: MSTReadNodes?) {
            self.blocks = blocks
            self.partial = partial
            self.read = read
            keys = read.map { read in blocks.bytes.withUnsafeBytes { read.blocks.keys(in: $0) } } ?? []
            isUsed = Array(repeating: false, count: blocks.count)
        }

        /// Nil where the block is not there and need not be.
        mutating func read(_ cid: CID, layer: Int) throws(FormatError) -> MSTNode? {
            guard let position = blocks.position(of: cid) else {
                if partial { return nil }
                throw MSTArena.missing(cid)
            }
            guard cid.codec == .dagCBOR, !isUsed[position] else { throw FormatError(.mst, "a node that is referred to twice, or raw") }
            isUsed[position] = true
            let range = blocks.range(at: position)
            return try blocks.bytes.withRaw { buffer throws(FormatError) in
                if let read, let block = read.nodes[position] {
                    return MSTNode(block, of: read.blocks, keys: keys, in: buffer, cid: cid, layer: layer)
                }
                return try MSTNode(block: buffer, range: range, cid: cid, layer: layer)
            }
        }
    }

    /// Puts a node and what is below it into the arena, between two keys of the nodes above.
    private mutating func add(
        _ node: consuming MSTNode, after: MSTEntryKey?, before: MSTEntryKey?, _ loader: inout Loader
    ) throws(FormatError) -> Int {
        guard !node.isEmpty else { throw FormatError(.mst, "a node without keys below the root") }
        if let after, let first = node.entries.first, !after.precedes(first.key) { throw FormatError(.mst, "keys that are not in order") }
        if let before, let last = node.entries.last, !last.key.precedes(before) { throw FormatError(.mst, "keys that are not in order") }
        for entry in node.entries where entry.key.layer != node.layer {
            throw FormatError(.mst, "a key on another layer than its hash says")
        }
        let last = node.entries.count
        for gap in 0...last {
            guard case .stub(let cid) = node[gap: gap] else { continue }
            guard node.layer > 0 else { throw FormatError(.mst, "a child below the lowest layer") }
            guard let child = try loader.read(cid, layer: node.layer - 1) else { continue }
            let lower = gap == 0 ? after : node.entries[gap - 1].key
            let upper = gap == last ? before : node.entries[gap].key
            node[gap: gap] = .node(try add(child, after: lower, before: upper, &loader))
        }
        return make(node)
    }
}
