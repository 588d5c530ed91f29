internal import DequeModule
public import Events

/// Up to where a work stream may be trimmed: the last committed entries stay for people to look at, everything before them goes.
///
/// A new owner knows only its own commits, so it trims later than it might, never further.
public struct TrimTail: Sendable {
    /// How many committed entries stay.
    public let kept: Int
    private var ids = Deque<EntryID>()

    public init(kept: Int = 1_000) { self.kept = max(0, kept) }

    /// Entries were committed, in the order of their ids; a lower one than before is left out.
    public mutating func committed(_ newIDs: some Sequence<EntryID>) {
        for id in newIDs where ids.last.map({ $0 < id }) ?? true {
            ids.append(id)
            if ids.count > kept + 1 { ids.removeFirst() }
        }
    }

    /// The lowest id that stays, `MINID`; nil as long as too few were committed.
    public var minID: EntryID? {
        guard ids.count > kept else { return nil }
        return kept == 0 ? ids.last.map { EntryID(milliseconds: $0.milliseconds, sequence: $0.sequence + 1) } : ids[1]
    }
}
