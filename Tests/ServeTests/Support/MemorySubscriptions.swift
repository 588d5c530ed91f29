import Events

@testable import Ledger
@testable import Serve

/// Durable subscriptions in memory, as the ledger keeps them.
actor MemorySubscriptions: SubscriptionStore {
    private(set) var positions: [SubscriptionKey: [Int64]] = [:]
    private var connections: [SubscriptionKey: Int64] = [:]
    private(set) var flapping: [FlappingClient] = []
    private(set) var writes = 0
    private var isDown = false
    private var watchers: [(@Sendable ([SubscriptionKey: [Int64]]) -> Bool, CheckedContinuation<Void, Never>)] = []

    func setDown(_ down: Bool) { isDown = down }

    /// As another process' client would.
    func takeOver(_ key: SubscriptionKey) { connections[key, default: 0] += 1 }

    func wait(until isSo: @escaping @Sendable ([SubscriptionKey: [Int64]]) -> Bool) async {
        if isSo(positions) { return }
        await withCheckedContinuation { watchers.append((isSo, $0)) }
    }

    private func changed() {
        for (isSo, continuation) in watchers where isSo(positions) { continuation.resume() }
        watchers.removeAll { $0.0(positions) }
    }

    func openSubscription(_ key: SubscriptionKey, start: [Int64]) async throws(LedgerError) -> SubscriptionOpening? {
        if isDown { throw LedgerError(code: .unavailable, message: "down", place: "test") }
        positions[key] = positions[key] ?? start
        connections[key, default: 0] += 1
        return SubscriptionOpening(positions: positions[key] ?? start, connection: connections[key] ?? 1)
    }

    func keepSubscriptions(acked: [SubscriptionKey: [Int64]], open: [SubscriptionKey]) async throws(LedgerError) -> [SubscriptionKey: Int64] {
        if isDown { throw LedgerError(code: .unavailable, message: "down", place: "test") }
        if !acked.isEmpty { writes += 1 }
        for (key, new) in acked { if let old = positions[key] { positions[key] = zip(old, new).map(max) } }
        changed()
        return connections.filter { open.contains($0.key) }
    }

    func subscriptions(name: String?, after: SubscriptionKey?, limit: Int) async throws(LedgerError) -> [SubscriptionView] {
        let keys = positions.keys.filter { name == nil || $0.name == name }.sorted {
            ($0.name, $0.topic.description) < ($1.name, $1.topic.description)
        }
        return keys.filter { key in after.map { ($0.name, $0.topic.description) < (key.name, key.topic.description) } ?? true }.prefix(limit).map {
            SubscriptionView(
                key: $0, positions: positions[$0] ?? [], connection: connections[$0] ?? 0, createdAt: WallTime(microseconds: 0),
                openedAt: WallTime(microseconds: 0), ackedAt: nil, behind: 7)
        }
    }

    func deleteSubscriptions(name: String, topic: SubscriptionTopic?) async throws(LedgerError) -> Int {
        let keys = positions.keys.filter { $0.name == name && (topic == nil || $0.topic == topic) }
        for key in keys {
            positions[key] = nil
            connections[key] = nil
        }
        return keys.count
    }

    func noteFlapping(_ clients: [FlappingClient]) async throws(LedgerError) {
        flapping += clients
        changed()
    }
}
