/// One operation of a commit, as the message lists it.
public struct RepoOperation: Hashable, Sendable {
    public enum Action: String, Hashable, Sendable, CaseIterable { case create, update, delete }

    public var action: Action
    /// `collection/rkey`.
    public var path: String
    /// Of the record; nil at a delete.
    public var cid: CID?
    /// Of the record before, at an update and a delete; nil where the host does not say (before Sync 1.1) and at a create.
    public var prev: CID?

    public init(action: Action, path: String, cid: CID?, prev: CID? = nil) {
        self.action = action
        self.path = path
        self.cid = cid
        self.prev = prev
    }
}
