import ATProto

/// One change of one record in a commit.
struct RepositoryOperation: Hashable, Sendable {
    enum Action: String, Hashable, Sendable { case create, update, delete }

    var action: Action
    var collection: String
    var rkey: String
    /// Of the new record; nil at a delete.
    var cid: CID?
    /// Of the record before; nil at a create.
    var previous: CID?

    var path: String { "\(collection)/\(rkey)" }
}
