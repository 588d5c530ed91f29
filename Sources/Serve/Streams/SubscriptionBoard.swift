import Ledger
import Synchronization

/// The subscriptions that clients of this process have open, and what they have acknowledged and is not written yet.
///
/// One client a subscription: the newest. It holds at most one entry for each, and what is acknowledged in it only rises.
final class SubscriptionBoard: Sendable {
    /// A client's hold on a subscription.
    struct Handle: Hashable, Sendable {
        var key: SubscriptionKey
        /// Of this client; a newer client has a higher one.
        var connection: Int64
    }

    private struct Entry {
        var connection: Int64
        /// Nil once the client is gone: then what it acknowledged is all that keeps the entry.
        var end: (@Sendable (StreamEnd) -> Void)?
        var acked: [Int64]?
        /// What is being written.
        var writing: [Int64]?

        var isOver: Bool { end == nil && acked == nil && writing == nil }
    }

    private let entries = Mutex<[SubscriptionKey: Entry]>([:])

    /// - Parameter end: ends the client, from any thread.
    /// - Returns: false where a newer client has it already.
    func attach(_ handle: Handle, end: @escaping @Sendable (StreamEnd) -> Void) -> Bool {
        let (isNewest, older): (Bool, (@Sendable (StreamEnd) -> Void)?) = entries.withLock { entries in
            guard let known = entries[handle.key] else {
                entries[handle.key] = Entry(connection: handle.connection, end: end)
                return (true, nil)
            }
            guard known.connection < handle.connection else { return (false, nil) }
            entries[handle.key] = Entry(connection: handle.connection, end: end, acked: known.acked, writing: known.writing)
            return (true, known.end)
        }
        older?(.takenOver)
        return isNewest
    }

    func detach(_ handle: Handle) {
        entries.withLock { entries in
            guard entries[handle.key]?.connection == handle.connection else { return }
            entries[handle.key]?.end = nil
            if entries[handle.key]?.isOver == true { entries[handle.key] = nil }
        }
    }

    /// What was acknowledged here and may not be in the ledger yet: a client that comes back does not get it again.
    func pending(_ key: SubscriptionKey) -> [Int64]? {
        entries.withLock { entries in
            guard let entry = entries[key] else { return nil }
            guard let acked = entry.acked, let writing = entry.writing else { return entry.acked ?? entry.writing }
            return zip(acked, writing).map(max)
        }
    }

    /// Takes what a client acknowledges; of one that was taken over it counts too: it did the work.
    func acked(_ handle: Handle, _ positions: [Int64]) {
        entries.withLock { entries in
            var entry = entries[handle.key] ?? Entry(connection: handle.connection)
            entry.acked = entry.acked.map { zip($0, positions).map(max) } ?? positions
            entries[handle.key] = entry
        }
    }

    /// What is to be written, at most `limit` of it, until ``wrote(_:)`` or ``failed(_:)``; and what is open.
    func take(limit: Int) -> (acked: [SubscriptionKey: [Int64]], open: [Handle]) {
        entries.withLock { entries in
            var acked: [SubscriptionKey: [Int64]] = [:]
            for (key, entry) in entries where acked.count < limit {
                guard let positions = entry.acked else { continue }
                acked[key] = positions
                entries[key]?.acked = nil
                entries[key]?.writing = positions
            }
            return (acked, entries.compactMap { key, entry in entry.end.map { _ in Handle(key: key, connection: entry.connection) } })
        }
    }

    func wrote(_ acked: [SubscriptionKey: [Int64]]) {
        entries.withLock { entries in
            for key in acked.keys {
                entries[key]?.writing = nil
                if entries[key]?.isOver == true { entries[key] = nil }
            }
        }
    }

    /// It could not be written: it is to be written again, with what came meanwhile.
    func failed(_ acked: [SubscriptionKey: [Int64]]) {
        wrote(acked)
        for (key, positions) in acked { self.acked(Handle(key: key, connection: 0), positions) }
    }

    /// Ends clients whose subscription has a newer one elsewhere, or is there no more.
    ///
    /// - Parameter connections: the newest of each, as the ledger has them.
    func settle(_ open: [Handle], _ connections: [SubscriptionKey: Int64]) {
        var ends: [(@Sendable (StreamEnd) -> Void, StreamEnd)] = []
        entries.withLock { entries in
            for handle in open {
                guard let entry = entries[handle.key], entry.connection == handle.connection, let end = entry.end else { continue }
                switch connections[handle.key] {
                case nil: ends.append((end, .deleted))
                case let newest? where newest > handle.connection: ends.append((end, .takenOver))
                default: continue
                }
                entries[handle.key]?.end = nil
                if connections[handle.key] == nil || entries[handle.key]?.isOver == true { entries[handle.key] = nil }
            }
        }
        for (end, why) in ends { end(why) }
    }

    var count: Int { entries.withLock { $0.count } }
    var hasAcks: Bool { entries.withLock { $0.values.contains { $0.acked != nil } } }
}
