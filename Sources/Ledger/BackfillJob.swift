public import Events

/// The wish for a snapshot of one repository, as its row stands.
public struct BackfillJob: Hashable, Sendable {
    public enum State: String, Hashable, Sendable, CaseIterable {
        /// To be put into the queue at ``retryAt``.
        case waiting
        /// Stands in the queue.
        case queued
        /// A fetcher has it.
        case fetching
        /// Its snapshot stands in the shard's backfill stream.
        case streamed
        case done
        /// A final answer of the host: there is nothing to be had.
        case refused
        /// Given up after too many tries; see `dead_letters`.
        case dead
    }

    public var did: String
    public var shard: Shard
    /// The host whose enumeration listed it first; empty: wanted by a worker or through the API.
    public var source: String
    public var reason: String
    public var state: State
    /// Wanted once more while an attempt was under way.
    public var again: Bool
    public var attempt: Int64
    public var failures: Int
    public var retryAt: WallTime
    /// Where it was asked for last.
    public var host: String
    public var error: String
    public var records: Int64
    public var bytes: Int64
    public var changedAt: WallTime
}

/// A job in the hands of a fetcher.
public struct ClaimedJob: Hashable, Sendable {
    public var did: String
    public var shard: Shard
    public var source: String
    public var reason: String
    /// The id of this attempt; higher than any before.
    public var attempt: Int64
    /// Attempts that failed since the last success.
    public var failures: Int
    /// Where it was asked for last; empty before the first time.
    public var host: String
    /// The revision that is delivered, read after the attempt was numbered; nil where nothing is.
    public var storedRev: String?
}

/// An attempt whose whole snapshot stands in the shard's backfill stream.
public struct StreamedJob: Hashable, Sendable {
    public var did: String
    public var attempt: Int64
    /// That gave it.
    public var host: String
    public var records: Int64
    /// Of the archive.
    public var bytes: Int64

    public init(did: String, attempt: Int64, host: String, records: Int64, bytes: Int64) {
        self.did = did
        self.attempt = attempt
        self.host = host
        self.records = records
        self.bytes = bytes
    }
}
