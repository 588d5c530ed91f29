public import Events

/// Everything that is known of one repository.
public struct RepositoryView: Hashable, Sendable {
    /// Held messages and delivered records are counted up to this; one more says that there are more.
    public static let countMax = 100_000

    public var did: String
    public var shard: Shard
    public var phase: RepositoryPhase
    /// What was said about it by name; nil where nothing was.
    public var isWanted: Bool?
    /// `add` or `remove`: what its shard's owner has still to do.
    public var request: String?
    /// As its shard's owner keeps it; nil where it has no row.
    public var row: Row?
    public var job: BackfillJob?
    /// Nil where its document was not needed yet.
    public var identity: StoredIdentity?
    public var held: Int
    /// Delivered and not deleted.
    public var records: Int

    public struct Row: Hashable, Sendable {
        public var status: String
        public var reason: String
        /// Empty until a commit or sync was seen.
        public var rev: String
        /// The MST root, binary CID; empty where unknown.
        public var data: [UInt8]
        /// Times of the last identity and account events that were taken.
        public var identityTime: WallTime?
        public var accountTime: WallTime?
    }
}

/// One repository of a page.
public struct RepositorySummary: Hashable, Sendable {
    public var did: String
    public var phase: RepositoryPhase
    /// Of its row; empty where there is none.
    public var reason: String
    public var rev: String
    /// When a failed job is tried again.
    public var retryAt: WallTime?
    /// The last error of its job.
    public var error: String
}

/// Repositories in order of DID.
public struct RepositoryPage: Hashable, Sendable {
    public var repositories: [RepositorySummary]
    /// Where the next page goes on; nil where this was the last. A page may be short, or empty, and still have one.
    public var next: String?
}
