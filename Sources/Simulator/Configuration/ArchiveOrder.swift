/// In which order the blocks of an archive stand. All are allowed, and consumers must take all.
public enum ArchiveOrder: String, Hashable, Sendable, CaseIterable {
    /// The commit, all nodes, all records.
    case nodesFirst = "nodes_first"
    /// The commit, then the tree in order: each node, then what is under it. Such an archive can be checked while it is read.
    case tree
    /// Any order, which follows the seed: records before nodes, children before parents, the commit anywhere.
    case shuffled
}
