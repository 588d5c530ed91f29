public import Events
public import Ledger

/// What sinks need of the ledger, beside what publishers do.
public protocol SinkStore: OutboxStore {
    func sinks(unreadable: (String, SinkProblem) -> Void) async throws(LedgerError) -> [RegisteredSink]
    func storeSink(_ definition: SinkDefinition, origin: RegisteredSink.Origin, onlyNew: Bool) async throws(LedgerError) -> SinkStored
    func removeSink(_ name: SinkName) async throws(LedgerError) -> Bool
    func configuredSinks(but names: [SinkName]) async throws(LedgerError) -> [SinkName]
    func matchRuns(page: Int) async throws(LedgerError) -> Int64
    func registerConsumers(_ sinks: [RegisteredSink], worker: WorkerID) async throws(LedgerError)
    func reportConsumers(_ reports: [SinkConsumerReport], worker: WorkerID) async throws(LedgerError)
    func sinkProgress(_ names: [SinkName]) async throws(LedgerError) -> [SinkName: SinkProgress]
    func layAside(_ event: RefusedEvent, of claim: OutboxClaim) async throws(LedgerError) -> Bool
    func halt(at event: RefusedEvent, of claim: OutboxClaim, reason: String) async throws(LedgerError) -> Bool
    func claimLetters(_ sink: SinkName, limit: Int, within: Duration) async throws(LedgerError) -> [Ledger.RequeuedLetter]
    func settleLetters(
        delivered: [Int64], refused: [(id: Int64, error: String)], open: [Int64], retryAfter: Duration
    ) async throws(LedgerError)
}

extension Ledger: SinkStore {}
