public import Ledger

/// What serving needs of the ledger about durable subscriptions and restless clients; a seam for tests.
public protocol SubscriptionStore: Sendable {
    func openSubscription(_ key: SubscriptionKey, start: [Int64]) async throws(LedgerError) -> SubscriptionOpening?
    func keepSubscriptions(acked: [SubscriptionKey: [Int64]], open: [SubscriptionKey]) async throws(LedgerError) -> [SubscriptionKey: Int64]
    func subscriptions(name: String?, after: SubscriptionKey?, limit: Int) async throws(LedgerError) -> [SubscriptionView]
    func deleteSubscriptions(name: String, topic: SubscriptionTopic?) async throws(LedgerError) -> Int
    func noteFlapping(_ clients: [FlappingClient]) async throws(LedgerError)
}

extension Ledger: SubscriptionStore {}
