extension MSTArena {
    /// Reads the tree under `root` from blocks.
    ///
    /// `partial`: a node below the root that is not among the blocks stays a stub; otherwise it is refused. Checked, not believed: each key's
    /// layer, children one layer down, keys in order over the whole tree, no node without keys below it, no node referred to twice. So the
    /// depth is at most 129, and the work at most one visit a block, whatever the blocks say.
    init(root cid: CID, blocks: BlockIndex, partial: Bool) throws(FormatError) {
        self.init()
        if cid == Self.emptyRoot { return }
        var loader = Loader(blocks: blocks, partial: partial)
        guard var top = try loader.read(cid, layer: 0) else { throw Self.missing(cid) }
        guard let first = top.entries.first else { throw FormatError(.mst, "a root without entries") }
        top.layer = MSTKey.layer(of: first.key)
        root = .node(try add(top, after: nil, before: nil, &loader))
    }

    private struct Loader {
        let blocks: BlockIndex
        let partial: Bool
        var isUsed: [Bool]

        init(blocks: BlockIndex, partial: Bool) {
            self.blocks = blocks
            self.partial = partial
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
                try MSTNode(block: buffer, range: range, cid: cid, layer: layer)
            }
        }
    }

    /// Puts a node and what is below it into the arena, between two keys of the nodes above.
    private mutating func add(_ node: MSTNode, after: [UInt8]?, before: [UInt8]?, _ loader: inout Loader) throws(FormatError) -> Int {
        var node = node
        guard !node.isEmpty else { throw FormatError(.mst, "a node without keys below the root") }
        if let after, let first = node.entries.first, !MSTKey.precedes(after, first.key) { throw FormatError(.mst, "keys that are not in order") }
        if let before, let last = node.entries.last, !MSTKey.precedes(last.key, before) { throw FormatError(.mst, "keys that are not in order") }
        for entry in node.entries where MSTKey.layer(of: entry.key) != node.layer {
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
