public import Events

/// How far one attempt's snapshot is applied to a repository, and what its next entry means.
///
/// An attempt counts from its opening on, and ends with its close, or with the first entry that does not follow (a loss in Redis, a second writer). Entries
/// of other attempts are void. A range of keys may be applied in several steps: ``applied(through:)`` says how far one came. Every prefix of an attempt
/// leaves a state from which a later attempt converges, since each range is compared with what was delivered.
public struct SnapshotProgress: Hashable, Sendable {
    public var attempt: Int64
    /// False: it broke off. Kept, so that the next attempt knows that there are records of it.
    public var isOpen: Bool
    /// The `n` that must come next.
    public var nextN: Int64
    /// The last key that is applied; empty: none.
    public var lastKey: String
    /// Records of the entries that were taken.
    public var count: Int64
    public var snapshot: RepositoryChain.Snapshot
    public var host: String

    public init(
        attempt: Int64, isOpen: Bool = true, nextN: Int64 = 1, lastKey: String = "", count: Int64 = 0, snapshot: RepositoryChain.Snapshot,
        host: String
    ) {
        self.attempt = attempt
        self.isOpen = isOpen
        self.nextN = nextN
        self.lastKey = lastKey
        self.count = count
        self.snapshot = snapshot
        self.host = host
    }

    public enum Step: Hashable, Sendable {
        /// Of another attempt, or seen before: drop it.
        case void
        /// Compare all keys above ``SnapshotProgress/lastKey`` up to `through` (empty: to the end).
        case compare(through: String)
        /// It does not follow: the attempt is worth nothing more.
        case broken(String)
    }

    /// Takes the next entry, `records` or `close`.
    public func step(_ entry: SnapshotEntry) -> Step {
        guard entry.attempt == attempt, isOpen, entry.n >= nextN else { return .void }
        guard entry.n == nextN else { return .broken("entries are missing: n \(nextN) expected, \(entry.n) found") }
        switch entry.kind {
        case .records:
            // Equal: it was applied in steps, and the last one ended at its last key.
            guard !entry.through.isEmpty, entry.through >= lastKey else {
                return .broken("keys that are not in order: \(entry.through.excerpt(scalars: 80)) behind \(lastKey.excerpt(scalars: 80))")
            }
            return .compare(through: entry.through)
        case .close:
            guard entry.count == count else { return .broken("\(entry.count) records were sent, \(count) came") }
            return .compare(through: "")
        case .open, .whole, .absent: return .broken("an entry of kind \(entry.kind.rawValue) in the middle of an attempt")
        }
    }

    /// All keys up to this one are applied; the entry has more.
    public mutating func applied(through key: String) { lastKey = key }

    /// The whole entry is applied.
    public mutating func took(_ entry: SnapshotEntry) {
        nextN += 1
        count += Int64(entry.records.count)
        if !entry.through.isEmpty { lastKey = entry.through }
    }

    /// It broke off.
    public mutating func breakOff() { isOpen = false }
}
