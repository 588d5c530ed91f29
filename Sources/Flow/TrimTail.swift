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
        return kept == 0 ? ids.last.map(Self.successor) : ids[1]
    }

    /// The next id that a stream can hold. Whoever else writes into the stream may choose the highest there is; that one stays.
    private static func successor(_ id: EntryID) -> EntryID {
        let (sequence, isLast) = id.sequence.addingReportingOverflow(1)
        guard isLast else { return EntryID(milliseconds: id.milliseconds, sequence: sequence) }
        return id.milliseconds < .max ? EntryID(milliseconds: id.milliseconds + 1, sequence: 0) : id
    }
}
