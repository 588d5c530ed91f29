internal import DequeModule
public import Events

/// Which DIDs of a shard have held messages, how many, and when they are to be looked at. The messages themselves are rows in the ledger.
///
/// Bounded for each DID and in all: what is over a bound is resolved at once, as if its deadline had passed, the DID held longest first. Every method takes
/// one step at most per DID; a lost table is rebuilt from the rows.
public struct HoldTable: Sendable {
    public struct Limits: Hashable, Sendable {
        public var perDID: Int
        public var total: Int

        public init(perDID: Int = 64, total: Int = 10_000) {
            self.perDID = perDID
            self.total = total
        }
    }

    private struct Held {
        var count = 0
        var dueAt: WallTime
        /// Which entry of the queue is this DID's; others of it are left-overs.
        var ticket: Int
        /// Look at it now: a predecessor or a key arrived.
        var isWoken = false
        /// Over a bound: resolve all of it.
        var isForced = false
    }

    /// One DID to be looked at.
    public struct Due: Hashable, Sendable {
        public var did: String
        /// Resolve everything of it, whatever is missing.
        public var isForced: Bool

        public init(did: String, isForced: Bool) {
            self.did = did
            self.isForced = isForced
        }
    }

    public let limits: Limits
    /// Held messages of all DIDs.
    public private(set) var count = 0
    private var held: [String: Held] = [:]
    /// DIDs by when they were first held; of a DID that was resolved meanwhile a left-over may stand here.
    private var oldest = Deque<(did: String, ticket: Int)>()
    private var nextTicket = 0
    private var ready = Deque<String>()

    public init(limits: Limits = Limits()) { self.limits = limits }

    public func holds(_ did: String) -> Bool { held[did] != nil }

    public func count(of did: String) -> Int { held[did]?.count ?? 0 }

    /// A message of `did` is held, to be looked at by `dueAt`.
    public mutating func hold(_ did: String, dueAt: WallTime) {
        var entry = held[did] ?? Held(dueAt: dueAt, ticket: nextTicket)
        if entry.count == 0 {
            oldest.append((did, nextTicket))
            nextTicket += 1
        }
        entry.count += 1
        entry.dueAt = min(entry.dueAt, dueAt)
        held[did] = entry
        count += 1
        dropLeftOvers()
        if entry.count > limits.perDID { force(did) }
        if count > limits.total { forceOldest() }
    }

    /// Something of `did` moved: a commit was applied, its key arrived. Its held messages are due now.
    public mutating func wake(_ did: String) {
        guard let entry = held[did], !entry.isWoken else { return }
        held[did]?.isWoken = true
        ready.append(did)
    }

    /// Takes up to `limit` DIDs that are to be looked at. Each comes once, until ``settled(_:count:dueAt:)`` says what is left of it.
    public mutating func due(at now: WallTime, limit: Int) -> [Due] {
        if ready.count < limit {
            for (did, entry) in held where !entry.isWoken && entry.dueAt <= now {
                wake(did)
                if ready.count >= limit { break }
            }
        }
        var due: [Due] = []
        while due.count < limit, let did = ready.popFirst() {
            guard let entry = held[did], entry.isWoken else { continue }
            due.append(Due(did: did, isForced: entry.isForced))
        }
        return due
    }

    /// When the next DID is due by its deadline, nil where none is held. Costs a pass over the DIDs.
    public func nextDueAt() -> WallTime? { held.values.lazy.map(\.dueAt).min() }

    /// A DID was looked at: `count` messages of it are still held, the next to be looked at by `dueAt`. Where not all of them were looked at and these
    /// are more than there may be, it comes again at once.
    public mutating func settled(_ did: String, count left: Int, dueAt: WallTime) {
        guard let entry = held[did] else { return }
        count += left - entry.count
        guard left > 0 else {
            held[did] = nil
            return
        }
        held[did] = Held(count: left, dueAt: dueAt, ticket: entry.ticket)
        if left > limits.perDID { force(did) }
    }

    private mutating func force(_ did: String) {
        held[did]?.isForced = true
        wake(did)
    }

    private mutating func forceOldest() {
        while let first = oldest.popFirst() {
            guard let entry = held[first.did], entry.ticket == first.ticket, !entry.isForced else { continue }
            force(first.did)
            return
        }
    }

    /// Keeps the queue at most twice as long as there are DIDs.
    private mutating func dropLeftOvers() {
        guard oldest.count > 2 * held.count + 16 else { return }
        oldest.removeAll { held[$0.did]?.ticket != $0.ticket }
    }
}
