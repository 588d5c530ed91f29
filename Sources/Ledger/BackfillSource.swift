public import Events

/// Where the enumeration of a host stands.
public struct BackfillSource: Hashable, Sendable {
    public enum State: String, Hashable, Sendable, CaseIterable {
        /// Pages are fetched.
        case listing
        /// All pages were; jobs of them may be open.
        case listed
        /// Every job of them has ended, and its run too.
        case finished
    }

    public var host: String
    /// `listRepos`, or `listReposByCollection` and the collection behind a space.
    public var method: String
    /// The host's own, opaque; nil at the beginning.
    public var cursor: String?
    public var state: State
    /// 1 at first; a later pass compares revisions, and what is behind is wanted again.
    public var pass: Int
    /// How often this pass had to begin again, because its list could not be read on.
    public var restarts: Int
    /// Declared gaps of the relays that this and earlier passes made up for.
    public var gapsSeen: Int64
    public var listed: Int64
    public var startedAt: WallTime
}

/// What of a page becomes jobs.
public struct ListedPage: Hashable, Sendable {
    public struct Entry: Hashable, Sendable {
        public var did: String
        public var shard: Shard
        /// Empty where the listing does not say.
        public var rev: String
        /// takendown, suspended, deactivated or deleted: there is nothing to fetch. Nil: there is.
        public var final: String?
        public init(did: String, shard: Shard, rev: String, final: String?) {
            self.did = did
            self.shard = shard
            self.rev = rev
            self.final = final
        }
    }

    public var entries: [Entry]
    /// From where the next page goes; nil where this was the last one.
    public var cursor: String?
    public init(entries: [Entry], cursor: String?) {
        self.entries = entries
        self.cursor = cursor
    }
}

/// What came of the jobs of one source.
public struct BackfillCounts: Hashable, Sendable {
    public var done: Int64
    public var refused: Int64
    public var dead: Int64
    /// Jobs that have not ended.
    public var open: Int64
    /// Of those, waiting after a failure.
    public var failing: Int64
    public var records: Int64
    public var bytes: Int64
}
