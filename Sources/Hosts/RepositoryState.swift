public import ATProto

/// What a host says of one repository: the answer of `getRepoStatus`.
public struct RepositoryState: Hashable, Sendable {
    public var did: String
    public var isActive: Bool
    /// Why it is not active, as the host words it, at most 64 characters: `takendown suspended deleted deactivated desynchronized throttled`.
    public var status: String?
    /// Where the host says one, of an active repository.
    public var rev: TID?
}

/// A repository's current commit: the answer of `getLatestCommit`.
public struct RepositoryHead: Hashable, Sendable {
    public var cid: CID
    public var rev: TID
}
