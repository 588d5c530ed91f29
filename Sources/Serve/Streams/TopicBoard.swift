import Events
import Synchronization

/// The runs that clients of this process follow, with the number of their clients.
///
/// All of them together keep a bounded number of bytes, shared evenly: a client of `/streams/firehose` alone follows one run a shard.
final class TopicBoard: Sendable {
    private struct Entry {
        var topic: OutletTopic
        var members: Int
        /// Since when it has had no member.
        var idleSince: MonotonicTime?
    }

    private let entries = Mutex<[RunID: Entry]>([:])
    private let limits: OutletTopic.Limits
    private let bytesOfAll: Int
    private let keepIdle: Duration
    /// Wakes the reader when a first run is to be followed.
    let changes: AsyncStream<Void>
    private let changed: AsyncStream<Void>.Continuation

    /// - Parameters:
    ///   - limits: of each run.
    ///   - bytesOfAll: of all runs together.
    ///   - keepIdle: how long a run without clients stays, so that a reconnect finds its recent events.
    init(limits: OutletTopic.Limits, bytesOfAll: Int, keepIdle: Duration) {
        self.limits = limits
        self.bytesOfAll = bytesOfAll
        self.keepIdle = keepIdle
        (changes, changed) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Each `join` is followed by one ``leave(_:now:)``.
    func join(_ run: RunID) -> OutletTopic {
        entries.withLock { entries in
            var entry = entries[run] ?? Entry(topic: OutletTopic(run: run, limits: limits), members: 0)
            entry.members += 1
            entry.idleSince = nil
            entries[run] = entry
            return entry.topic
        }
    }

    func leave(_ run: RunID, now: MonotonicTime) {
        entries.withLock { entries in
            guard var entry = entries[run] else { return }
            entry.members -= 1
            if entry.members == 0 { entry.idleSince = now }
            entries[run] = entry
        }
    }

    /// A topic began to be followed.
    func activated() { changed.yield() }

    /// What is to be read now; those without clients for too long are let go, and the others get their share of the bytes.
    func followed(now: MonotonicTime) -> [OutletTopic] {
        entries.withLock { entries in
            for (run, entry) in entries {
                if let since = entry.idleSince, now - since > keepIdle { entries[run] = nil }
            }
            let share = bytesOfAll / max(1, entries.count)
            for entry in entries.values { entry.topic.keep(bytes: share) }
            return entries.values.map(\.topic).filter { $0.tip != nil }
        }
    }
}
