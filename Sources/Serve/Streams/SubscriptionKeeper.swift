import Broker
import Events
import Ledger
import Logging

/// Writes what clients acknowledge, many in one statement, and finds those that another process' client has taken over.
struct SubscriptionKeeper: Sendable {
    let board: SubscriptionBoard
    let flapping: FlapBoard
    let store: any SubscriptionStore
    /// Acknowledgements that come within this time are one write.
    let debounce: Duration
    /// How often it is looked whether a subscription was taken over or deleted, at least.
    let checkEvery: Duration
    let logger: Logger

    /// Until cancelled. What is not written then is ``flush()``'s.
    func run() async {
        var checkedAt = MonotonicTime.current
        while !Task.isCancelled {
            try? await Task.sleep(for: debounce)
            if Task.isCancelled { return }
            let isDue = MonotonicTime.current - checkedAt >= checkEvery
            if isDue { checkedAt = .current }
            await noteFlapping()
            guard isDue || board.hasAcks else { continue }
            _ = await once()
        }
    }

    /// Writes everything that was acknowledged before.
    func flush() async {
        while board.hasAcks { guard await once() else { return } }
    }

    /// - Returns: whether it could be written.
    private func once() async -> Bool {
        let (acked, open) = board.take(limit: Ledger.subscriptionBatchMax)
        guard !acked.isEmpty || !open.isEmpty else { return true }
        var connections: [SubscriptionKey: Int64] = [:]
        var left = acked
        do {
            for start in stride(from: 0, to: max(open.count, 1), by: Ledger.subscriptionBatchMax) {
                let part = open[start..<min(start + Ledger.subscriptionBatchMax, open.count)]
                connections.merge(try await store.keepSubscriptions(acked: left, open: part.map(\.key))) { $1 }
                board.wrote(left)
                left = [:]
            }
        } catch {
            board.failed(left)
            logger.warning("acknowledgements could not be written", metadata: ["error": "\(error)", "subscriptions": "\(left.count)"])
            return false
        }
        board.settle(open, connections)
        return true
    }

    private func noteFlapping() async {
        let clients = flapping.take()
        guard !clients.isEmpty else { return }
        for client in clients {
            logger.warning(
                "a client comes back too often", metadata: ["client": "\(client.client)", "topic": "\(client.topic)", "opens": "\(client.opens)"])
        }
        // The log has it; that the ledger has it too is for the doctor.
        do { try await store.noteFlapping(clients) } catch { logger.info("not noted", metadata: ["error": "\(error)"]) }
    }
}
