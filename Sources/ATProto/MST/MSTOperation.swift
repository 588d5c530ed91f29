/// What a commit does to one key of the tree.
public struct MSTOperation: Hashable, Sendable {
    /// `collection/rkey`.
    public var key: String
    /// The value before; nil at a create.
    public var before: CID?
    /// The value after; nil at a delete.
    public var after: CID?

    public init(key: String, before: CID?, after: CID?) {
        self.key = key
        self.before = before
        self.after = after
    }
}
