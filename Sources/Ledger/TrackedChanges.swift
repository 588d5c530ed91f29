public import Events

/// What a batch of a shard changes about tracked repositories, beyond their rows: what was delivered of them, their snapshots and their jobs.
public struct TrackedChanges: Hashable, Sendable {
    /// A record that is delivered from now on, or is not.
    public struct Record: Hashable, Sendable {
        public var did: String
        /// `collection/rkey`.
        public var path: String
        /// Binary; nil: it is deleted.
        public var cid: [UInt8]?
        public init(did: String, path: String, cid: [UInt8]?) {
            self.did = did
            self.path = path
            self.cid = cid
        }
    }

    /// The attempt that is being applied to a repository (`Flow.SnapshotProgress`), as its row.
    public struct Snapshot: Hashable, Sendable {
        public var did: String
        public var attempt: Int64
        public var isOpen: Bool
        public var nextN: Int64
        public var lastKey: String
        public var count: Int64
        public var rev: String
        public var data: [UInt8]
        public var host: String
        public init(
            did: String, attempt: Int64, isOpen: Bool, nextN: Int64, lastKey: String, count: Int64, rev: String, data: [UInt8], host: String
        ) {
            self.did = did
            self.attempt = attempt
            self.isOpen = isOpen
            self.nextN = nextN
            self.lastKey = lastKey
            self.count = count
            self.rev = rev
            self.data = data
            self.host = host
        }
    }

    /// How an attempt ended.
    public struct Ending: Hashable, Sendable {
        public enum Outcome: String, Hashable, Sendable { case done, refused, retry }
        public var did: String
        public var attempt: Int64
        public var outcome: Outcome
        public var error: String
        /// At `retry`: when it is to be fetched again.
        public var retryAfter: Duration
        public init(did: String, attempt: Int64, outcome: Outcome, error: String = "", retryAfter: Duration = .zero) {
            self.did = did
            self.attempt = attempt
            self.outcome = outcome
            self.error = error
            self.retryAfter = retryAfter
        }
    }

    /// The last entry of the backfill stream that this batch resolves; nil where it resolves none.
    public var offset: EntryID?
    /// One for each (did, path).
    public var records: [Record] = []
    /// Repositories of which nothing counts as delivered any more; before ``records``.
    public var recordsDropped: [String] = []
    public var snapshots: [Snapshot] = []
    public var snapshotsDropped: [String] = []
    /// Repositories of which a snapshot is wanted that begins after this commit; one for each DID.
    public var wanted: [(did: String, reason: String)] { wants.sorted { $0.key < $1.key }.map { ($0.key, $0.value) } }
    /// By DID, with the reason.
    public var wants: [String: String] = [:]
    /// At most one a DID.
    public var ended: [Ending] = []
    /// Attempts of which entries were applied: their deadlines move.
    public var renewed: [String: Int64] = [:]
    /// Repositories whose held messages are worth nothing any more.
    public var heldDropped: [String] = []
    /// Requests that are carried out, as they were read.
    public var requestsDone: [RepositoryRequest] = []

    public init() {}

    public var isEmpty: Bool { self == TrackedChanges() }
}

/// What the owner of a shard is asked to do about a repository.
public struct RepositoryRequest: Hashable, Sendable {
    public enum Action: String, Hashable, Sendable, CaseIterable { case add, remove }
    public var did: String
    public var action: Action
    public init(did: String, action: Action) {
        self.did = did
        self.action = action
    }
}
