/// One entry of a shard's backfill stream (`firehose_backfill:{k}`): a part of what one attempt brought of one repository.
///
/// An attempt writes `open` (n = 0), `records` (n = 1, 2, …) and `close`, or all of a small repository as one `whole`, or `absent` where the host's answer
/// is final. Records come in order of keys, compared bytewise, as the repository's tree has them; each entry says which range of keys it is all of, so a
/// reader compares a range at a time with what was delivered. Entries of an older attempt mean nothing once a newer one was seen.
public struct SnapshotEntry: Hashable, Sendable {
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        case whole, open, records, close, absent
    }

    public enum Field: String, CaseIterable, Sendable {
        case did, attempt, n, kind, host, rev, data, fork, after, through, count, reason, frame
    }

    public var did: String
    /// From Postgres; grows over all repositories.
    public var attempt: Int64
    /// Dense from 0 in each attempt.
    public var n: Int64
    public var kind: Kind
    /// Where it was fetched: `host` or `host:port`.
    public var host: String
    /// Of the signed commit; empty at `absent`.
    public var rev: String
    /// The tree's root, binary CID; empty at `absent`.
    public var data: [UInt8]
    /// The account's own host has a revision older than the one that was stored before it was asked: it lost commits, and its word counts.
    public var isFork: Bool
    /// At `records`: all keys above this one; empty: from the first.
    public var after: String
    /// At `records`: up to and including this one.
    public var through: String
    /// At `close` and `whole`: records that the attempt sent.
    public var count: Int64
    /// At `absent`: takendown, suspended, deactivated, deleted or notFound.
    public var reason: String
    public var records: [SnapshotRecord]

    public init(
        did: String, attempt: Int64, n: Int64, kind: Kind, host: String, rev: String = "", data: [UInt8] = [], isFork: Bool = false,
        after: String = "", through: String = "", count: Int64 = 0, reason: String = "", records: [SnapshotRecord] = []
    ) {
        self.did = did
        self.attempt = attempt
        self.n = n
        self.kind = kind
        self.host = host
        self.rev = rev
        self.data = data
        self.isFork = isFork
        self.after = after
        self.through = through
        self.count = count
        self.reason = reason
        self.records = records
    }
}
