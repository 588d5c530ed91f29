/// What one account holds at one instant: the truth that a consumer's copy is compared with.
public struct RepositorySnapshot: Hashable, Sendable {
    public var did: String
    /// `active`, `deactivated`, `takendown`, `suspended` or `deleted`. A deleted account holds nothing.
    public var status: String
    /// The place of its host.
    public var host: Int
    /// Of the newest commit; nil of a deleted account, as is ``data``.
    public var rev: String?
    /// The root of the tree, as a CID's text.
    public var data: String?
    /// `collection/rkey` → the record's CID, as text.
    public var records: [String: String]
}
