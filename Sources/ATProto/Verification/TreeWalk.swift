/// Visits the keys of a tree in order, with all checks that a whole tree allows. What ``RepositoryWalk`` and ``ArchiveWalk`` have in common.
///
/// Refused: missing nodes, a key on another layer than its hash says, keys out of order, nodes without keys or referred to twice (so also cycles and
/// trees that repeat themselves), values that are no dag-cbor. Held are a bit for each block, and the nodes from the root down to the key: at most
/// 129, of at most ``Limits/mstPathBytes`` together.
struct TreeWalk<Store: NodeStore>: Sendable {
    /// A node on the way down. Its memory is used again for the next one on this depth.
    private struct Step: Sendable {
        var layer = 0
        var block: [UInt8] = []
        var entries: [MSTBlocks.Entry] = []
        /// The next entry to visit.
        var position = 0
        /// Where the link to the left child lies in the block.
        var left: Int?
    }

    let store: Store
    private var isUsed: [UInt64]
    private var steps: [Step] = []
    /// How many of `steps` are in use.
    private var depth = 0
    private var heldBytes = 0
    private let pathBytesMax: Int
    private var reader = MSTBlocks(bytes: 4096)
    /// For each depth the last key of its node that was visited: the next one shares its prefix.
    private var nodeKeys: [UInt8] = []
    /// The key that was visited last, of any node.
    private var key = [UInt8](repeating: 0, count: Limits.mstKeyBytes)
    private var keyCount = 0
    private var children: [CID] = []
    private var seen: UInt64 = 0

    init(root: CID, store: Store, pathBytesMax: Int = Limits.mstPathBytes) throws(FormatError) {
        self.store = store
        self.pathBytesMax = pathBytesMax
        isUsed = Array(repeating: 0, count: store.count / 64 + 1)
        try enter(root, layer: nil)
        guard root != MSTArena.emptyRoot, let first = steps[0].entries.first else {
            // Where digests were not checked, another node may stand under this address, and an empty one under any.
            guard root == MSTArena.emptyRoot, steps[0].entries.isEmpty, steps[0].left == nil else {
                throw FormatError(.mst, "a root without entries")
            }
            depth = 0
            return
        }
        let suffix = first.suffix..<(first.suffix + first.suffixCount)
        steps[0].layer = steps[0].block.withUnsafeBytes { MSTKey.layer(of: UnsafeRawBufferPointer(rebasing: $0[suffix])) }
        try descend(link(steps[0].left), from: steps[0].layer)
    }

    /// Goes to the next key and returns its value; nil after the last.
    mutating func next() throws(FormatError) -> CID? {
        while depth > 0 {
            let top = depth - 1
            guard steps[top].position < steps[top].entries.count else {
                leave(top)
                continue
            }
            let entry = steps[top].entries[steps[top].position]
            steps[top].position += 1
            try visit(entry, on: top)
            guard let value = link(entry.value), value.codec == .dagCBOR else { throw FormatError(.mst, "a value that is no dag-cbor") }
            try descend(link(entry.right), from: steps[top].layer)
            return value
        }
        return nil
    }

    /// The key that ``next()`` has gone to.
    func withKey<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R {
        key.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[..<keyCount])) }
    }

    var path: String { withKey { String(decoding: $0, as: UTF8.self) } }

    /// Makes an entry's key out of the one before it in its node, and compares it with the one before it in the tree.
    private mutating func visit(_ entry: MSTBlocks.Entry, on depth: Int) throws(FormatError) {
        let count = entry.prefix + entry.suffixCount
        let start = depth * Limits.mstKeyBytes
        let layer = steps[depth].layer
        let (isOnLayer, isAfter) = steps[depth].block.withUnsafeBytes { block in
            nodeKeys.withUnsafeMutableBytes { keys in
                let suffix = UnsafeRawBufferPointer(rebasing: block[entry.suffix..<(entry.suffix + entry.suffixCount)])
                UnsafeMutableRawBufferPointer(rebasing: keys[(start + entry.prefix)..<(start + count)]).copyMemory(from: suffix)
                let next = UnsafeRawBufferPointer(rebasing: keys[start..<(start + count)])
                let isOnLayer = MSTKey.layer(of: next) == layer
                return key.withUnsafeMutableBytes { last in
                    let isAfter = MSTKey.precedes(UnsafeRawBufferPointer(rebasing: last[..<keyCount]), next)
                    UnsafeMutableRawBufferPointer(rebasing: last[..<count]).copyMemory(from: next)
                    return (isOnLayer, isAfter)
                }
            }
        }
        guard isOnLayer else { throw FormatError(.mst, "a key on another layer than its hash says") }
        guard isAfter else { throw FormatError(.mst, "keys that are not in order") }
        keyCount = count
    }

    /// The link at a place in the block of the deepest node.
    @inline(__always)
    private func link(_ place: Int?) -> CID? {
        guard let place else { return nil }
        return steps[depth - 1].block.withUnsafeBytes { CID(loading: $0, at: place) }
    }

    /// Goes down to the first key below a child.
    private mutating func descend(_ child: CID?, from layer: Int) throws(FormatError) {
        var child = child
        var layer = layer
        while let cid = child {
            guard layer > 0 else { throw FormatError(.mst, "a child below the lowest layer") }
            layer -= 1
            try enter(cid, layer: layer)
            child = link(steps[depth - 1].left)
            guard child != nil || !steps[depth - 1].entries.isEmpty else { throw FormatError(.mst, "a node without keys below the root") }
        }
    }

    private mutating func leave(_ top: Int) {
        heldBytes -= steps[top].block.count
        depth = top
        // Nodes as large as that are none of an honest host: what they took is not kept for the next one.
        if steps[top].block.capacity > Self.capacityKept { steps[top] = Step() }
    }

    private static var capacityKept: Int { 256 << 10 }

    /// Reads a node as the one below the deepest; the root's layer is not known before its keys are.
    private mutating func enter(_ cid: CID, layer: Int?) throws(FormatError) {
        guard cid.codec == .dagCBOR else { throw FormatError(.mst, "a node that is raw") }
        if depth == steps.count {
            steps.append(Step())
            nodeKeys.append(contentsOf: repeatElement(0, count: Limits.mstKeyBytes))
        }
        let store = store
        try store.withNode(cid) { position, data throws(FormatError) in
            let mask: UInt64 = 1 << UInt64(position & 63)
            guard isUsed[position >> 6] & mask == 0 else { throw FormatError(.mst, "a node that is referred to twice") }
            isUsed[position >> 6] |= mask
            heldBytes += data.count
            guard heldBytes <= pathBytesMax else {
                throw FormatError(.tooLarge, "the nodes above one key have more than \(pathBytesMax) bytes")
            }
            let node: MSTBlock
            do throws(FormatError) { node = try reader.read(data, into: &steps[depth].entries) } catch {
                throw FormatError(error.code, "\(error.message), in the node \(cid)", offset: error.offset)
            }
            steps[depth].block.removeAll(keepingCapacity: true)
            steps[depth].block.append(contentsOf: data)
            steps[depth].left = node.left
        }
        steps[depth].position = 0
        steps[depth].layer = layer ?? 0
        depth += 1
        if layer != 0 { expectChildren() }
    }

    private mutating func expectChildren() {
        children.removeAll(keepingCapacity: true)
        let top = depth - 1
        steps[top].block.withUnsafeBytes { block in
            for entry in steps[top].entries.prefix(Self.expectedMax) {
                if let right = entry.right, let cid = CID(loading: block, at: right) { children.append(cid) }
            }
        }
        if let left = link(steps[top].left) { children.append(left) }
        seen &+= store.expect(children)
    }

    private static var expectedMax: Int { 32 }
}
