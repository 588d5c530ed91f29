public import Events
public import Ledger

/// What a publisher needs of the ledger; the seam at which a test can end a publisher between two of its steps.
public protocol OutboxStore: Sendable {
    func claimOutbox(sink: String, publisher: WorkerID, ttl: Duration, limit: Int) async throws(LedgerError) -> [OutboxClaim]
    func markPublished(_ marks: [(claim: OutboxClaim, nextSeq: Int64)]) async throws(LedgerError) -> Set<RunID>
    func failOutbox(_ claim: OutboxClaim, error: String, retryAfter: Duration) async throws(LedgerError)
    func haltOutbox(_ claim: OutboxClaim, reason: String) async throws(LedgerError)
    func withAppendNotifications(_ body: @Sendable (any AsyncSequence<String, any Error> & Sendable) async throws -> Void) async throws
    func run(_ id: RunID) async throws(LedgerError) -> RunSummary?
    func events(run: RunID, after: Int64, limit: Int, maxBytes: Int) async throws(LedgerError) -> [LogEvent]
}

extension Ledger: OutboxStore {}
