/// The nodes of a tree, whole or partial, and the changes of it.
///
/// Nodes stand in one array and refer to each other by index, so a tree is a value; a change touches the nodes on one path, and only those
/// are hashed again when the root's address is asked for. Where a change needs a node that is only known by its address, it throws
/// `missingBlock`, and a partial tree is of no use after that.
struct MSTArena: Sendable {
    private(set) var nodes: [MSTNode] = []
    private var free: [Int] = []
    /// `none` is the empty tree.
    var root: MSTChild = .none

    /// The address of the node without entries and children, the root of an empty tree.
    static let emptyRoot: CID = CID(hashing: emptyRootBlock)
    /// Its block, `{"e": [], "l": null}`.
    static let emptyRootBlock: [UInt8] = [0xa2, 0x61, 0x65, 0x80, 0x61, 0x6c, 0xf6]

    static func missing(_ cid: CID) -> FormatError { FormatError(.missingBlock, "the tree's node \(cid) is not there") }

    mutating func make(_ node: MSTNode) -> Int {
        if let index = free.popLast() {
            nodes[index] = node
            return index
        }
        nodes.append(node)
        return nodes.count - 1
    }

    private mutating func release(_ index: Int) {
        nodes[index] = MSTNode(layer: 0)
        free.append(index)
    }

    private mutating func touch(_ index: Int) {
        nodes[index].cid = nil
        nodes[index].isNew = true
    }

    // MARK: - Reading

    /// The value of a key, nil where it is not in the tree.
    func value(of key: MSTEntryKey) throws(FormatError) -> CID? {
        var child = root
        while true {
            switch child {
            case .none: return nil
            case .stub(let cid): throw Self.missing(cid)
            case .node(let index):
                let (position, found) = nodes[index].search(key)
                if found { return nodes[index].entries[position].value }
                child = nodes[index][gap: position]
            }
        }
    }

    // MARK: - Changing

    /// Sets the value of a key and returns the one before.
    mutating func set(_ key: MSTEntryKey, to value: CID) throws(FormatError) -> CID? {
        let layer = key.layer
        switch root {
        case .stub(let cid): throw Self.missing(cid)
        case .none:
            root = .node(make(MSTNode(layer: layer, entries: [MSTEntry(key: key, value: value)], isNew: true)))
            return nil
        case .node(let index):
            let top = nodes[index].layer
            if layer <= top { return try set(key, to: value, layer: layer, from: index) }
            let (left, right) = try split(root, at: key)
            let entry = MSTEntry(key: key, value: value, right: raise(right, from: top, to: layer - 1))
            root = .node(make(MSTNode(layer: layer, left: raise(left, from: top, to: layer - 1), entries: [entry], isNew: true)))
            return nil
        }
    }

    private mutating func set(_ key: MSTEntryKey, to value: CID, layer: Int, from start: Int) throws(FormatError) -> CID? {
        var index = start
        while true {
            touch(index)
            let (position, found) = nodes[index].search(key)
            if found {
                defer { nodes[index].entries[position].value = value }
                return nodes[index].entries[position].value
            }
            let gap = nodes[index][gap: position]
            if nodes[index].layer == layer {
                let (left, right) = try split(gap, at: key)
                nodes[index][gap: position] = left
                nodes[index].entries.insert(MSTEntry(key: key, value: value, right: right), at: position)
                return nil
            }
            switch gap {
            case .stub(let cid): throw Self.missing(cid)
            case .node(let next): index = next
            case .none:
                let leaf = make(MSTNode(layer: layer, entries: [MSTEntry(key: key, value: value)], isNew: true))
                nodes[index][gap: position] = raise(.node(leaf), from: layer, to: nodes[index].layer - 1)
                return nil
            }
        }
    }

    /// Removes a key and returns its value, nil where it was not in the tree.
    mutating func remove(_ key: MSTEntryKey) throws(FormatError) -> CID? {
        var path: [(index: Int, position: Int)] = []
        var child = root
        while true {
            guard case .node(let index) = child else {
                if case .stub(let cid) = child { throw Self.missing(cid) }
                return nil
            }
            let (position, found) = nodes[index].search(key)
            path.append((index, position))
            if found { break }
            child = nodes[index][gap: position]
        }
        guard let (index, position) = path.last else { return nil }
        let entry = nodes[index].entries[position]
        let merged = try merge(nodes[index][gap: position], entry.right)
        nodes[index].entries.remove(at: position)
        nodes[index][gap: position] = merged
        for step in path { touch(step.index) }
        prune(path)
        trim()
        return entry.value
    }

    /// Takes nodes away that have become empty, from below.
    private mutating func prune(_ path: [(index: Int, position: Int)]) {
        for (depth, step) in path.enumerated().reversed() {
            guard nodes[step.index].isEmpty else { return }
            release(step.index)
            if depth == 0 {
                root = .none
            } else {
                nodes[path[depth - 1].index][gap: path[depth - 1].position] = .none
            }
        }
    }

    /// Takes roots away that have no entry: a tree is as low as its keys allow.
    ///
    /// A node that is not there may become the root by its address. Should it have no entry either, the address is not that of a tree, and so
    /// not the one that an inversion is compared with.
    private mutating func trim() {
        while case .node(let index) = root, nodes[index].entries.isEmpty {
            root = nodes[index].left
            release(index)
        }
    }

    /// Puts nodes without entries above a child until it is of the layer.
    private mutating func raise(_ child: MSTChild, from layer: Int, to target: Int) -> MSTChild {
        guard child != .none, layer < target else { return child }
        var child = child
        for layer in (layer + 1)...target { child = .node(make(MSTNode(layer: layer, left: child, isNew: true))) }
        return child
    }

    /// Parts a subtree into what is before a key that is not in it and what is after.
    private mutating func split(_ child: MSTChild, at key: MSTEntryKey) throws(FormatError) -> (MSTChild, MSTChild) {
        switch child {
        case .none: return (.none, .none)
        case .stub(let cid): throw Self.missing(cid)
        case .node(let index):
            let (position, _) = nodes[index].search(key)
            let (before, after) = try split(nodes[index][gap: position], at: key)
            // All on one side: the node stays as it is, and need not be hashed again.
            if position == nodes[index].entries.count, after == .none { return (child, .none) }
            if position == 0, before == .none { return (.none, child) }
            touch(index)
            let rest = Array(nodes[index].entries[position...])
            nodes[index].entries.removeSubrange(position...)
            nodes[index][gap: position] = before
            let right: MSTChild =
                rest.isEmpty && after == .none
                ? .none : .node(make(MSTNode(layer: nodes[index].layer, left: after, entries: rest, isNew: true)))
            guard nodes[index].isEmpty else { return (child, right) }
            release(index)
            return (.none, right)
        }
    }

    /// Joins two neighbours of the same layer.
    private mutating func merge(_ left: MSTChild, _ right: MSTChild) throws(FormatError) -> MSTChild {
        switch (left, right) {
        case (.none, _): return right
        case (_, .none): return left
        case (.stub(let cid), _), (_, .stub(let cid)): throw Self.missing(cid)
        case (.node(let a), .node(let b)):
            let last = nodes[a].entries.count
            let middle = try merge(nodes[a][gap: last], nodes[b].left)
            nodes[a][gap: last] = middle
            nodes[a].entries.append(contentsOf: nodes[b].entries)
            touch(a)
            release(b)
            return left
        }
    }

    // MARK: - For the parts of this type in other files

    mutating func reserve(_ count: Int) { nodes.reserveCapacity(count) }
    mutating func setAddress(_ cid: CID, of index: Int) { nodes[index].cid = cid }
    mutating func setKnown(_ index: Int) { nodes[index].isNew = false }
}
