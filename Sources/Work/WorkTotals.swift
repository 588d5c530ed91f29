internal import Synchronization

/// What a process's shards did since the last report, for the line `metric.events_inserted`.
final class WorkTotals: Sendable {
    struct Counts: Sendable, Hashable {
        var events = 0
        var batches = 0
        var refused = 0
        var held = 0
        var duplicates = 0
        /// The largest of a batch's newest entry.
        var lagMsMax: Int64 = 0
    }

    private let counts = Mutex(Counts())

    func add(events: Int, refused: Int, held: Int, duplicates: Int, lagMs: Int64) {
        counts.withLock {
            $0.events += events
            $0.batches += 1
            $0.refused += refused
            $0.held += held
            $0.duplicates += duplicates
            $0.lagMsMax = max($0.lagMsMax, lagMs)
        }
    }

    /// The counts since the last call.
    func take() -> Counts {
        counts.withLock {
            let taken = $0
            $0 = Counts()
            return taken
        }
    }
}
