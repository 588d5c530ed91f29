internal import DequeModule

/// Notifications that are not taken yet. Bounded: equal ones stand once, and when different ones exceed the capacity all of them become a single
/// overflow, which tells the reader to look at everything.
struct NotificationMailbox {
    static let capacity = 1024

    private struct Key: Hashable {
        var channel: String
        var payload: String
    }

    private var waiting = Deque<PostgresNotification>()
    private var known: Set<Key> = []
    private var dropped = 0

    mutating func receive(_ notification: PostgresNotification) {
        let key = Key(channel: notification.channel, payload: notification.payload)
        guard known.insert(key).inserted else { return }
        guard waiting.count < Self.capacity else {
            dropped += waiting.count + 1
            waiting.removeAll()
            known.removeAll()
            return
        }
        waiting.append(notification)
    }

    var hasElements: Bool { dropped > 0 || !waiting.isEmpty }

    mutating func next() -> PostgresNotifications.Element? {
        if dropped > 0 {
            defer { dropped = 0 }
            return .overflow(dropped: dropped)
        }
        guard let notification = waiting.popFirst() else { return nil }
        known.remove(Key(channel: notification.channel, payload: notification.payload))
        return .notification(notification)
    }
}
