/// What stands under a gap of a node.
enum MSTChild: Hashable, Sendable {
    case none
    /// A node that is not in memory: only its address is known.
    case stub(CID)
    /// A node, by its place in the arena.
    case node(Int)
}

struct MSTEntry: Sendable {
    var key: MSTEntryKey
    var value: CID
    /// The subtree between this key and the next.
    var right: MSTChild = .none
}

/// One node in memory: gaps and entries in turn, `left, entry, right, entry, right …`.
///
/// All keys are of the node's layer, all children of the layer below it; a node without entries has a left child, except the empty root.
struct MSTNode: Sendable {
    var layer: Int
    var left: MSTChild = .none
    var entries: [MSTEntry] = []
    /// The address, nil since the node or what is below it changed.
    var cid: CID?
    /// Changed since the mark, and so are all nodes above it.
    var isNew = false

    var isEmpty: Bool { entries.isEmpty && left == .none }

    /// The index of the first entry whose key is not before `key`, and whether it is that key.
    func search(_ key: MSTEntryKey) -> (index: Int, found: Bool) {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].key.precedes(key) { low = middle + 1 } else { high = middle }
        }
        return (low, low < entries.count && entries[low].key == key)
    }

    /// The child in the gap before entry `index`; with the count of entries, the last child.
    subscript(gap index: Int) -> MSTChild {
        get { index == 0 ? left : entries[index - 1].right }
        set { if index == 0 { left = newValue } else { entries[index - 1].right = newValue } }
    }
}
