/// The nodes and values of a whole tree in preorder, without their bytes: each node, then what is under it in order of keys.
///
/// It is the order in which hosts write archives that can be checked while they are read. Memory is about 50 bytes a key.
public struct TreePreorder: Sendable {
    public enum Stop: Hashable, Sendable {
        /// A node, by a place that ``block(_:)`` knows.
        case node(Int)
        case value(CID)
    }

    public let stops: [Stop]
    private let tree: MSTArena
    private static let emptyRoot = -1

    public init(_ tree: MerkleSearchTree) {
        var tree = tree
        _ = tree.rootCID()
        self.tree = tree.arena
        var stops: [Stop] = []
        stops.reserveCapacity(tree.count + tree.count / 3 + 1)
        Self.walk(self.tree.root, self.tree, &stops)
        self.stops = stops.isEmpty ? [.node(Self.emptyRoot)] : stops
    }

    /// The block of a node of ``stops``; nil for a place that is none of them.
    public func block(_ place: Int) -> Block? {
        if place == Self.emptyRoot { return Block(cid: MSTArena.emptyRoot, bytes: MSTArena.emptyRootBlock) }
        return tree.nodes.indices.contains(place) ? tree.block(place) : nil
    }

    // Recursion is bounded by the layers, at most 129.
    private static func walk(_ child: MSTChild, _ tree: MSTArena, _ stops: inout [Stop]) {
        guard case .node(let place) = child else { return }
        stops.append(.node(place))
        walk(tree.nodes[place].left, tree, &stops)
        for entry in tree.nodes[place].entries {
            stops.append(.value(entry.value))
            walk(entry.right, tree, &stops)
        }
    }
}
