public import Events
public import Ledger

/// What serving needs of the ledger to create, feed and end runs; a seam for tests.
public protocol RunStore: Sendable {
    func createRun(_ creation: RunCreation) async throws(LedgerError) -> (run: RunSummary, isNew: Bool)
    func append(_ events: [ApplicationEvent], to run: RunID, expectedSeq: Int64?) async throws(LedgerError) -> RunAppended
    func endRun(
        _ id: RunID, state: RunSummary.State, reason: String?, by owner: String, expectedSeq: Int64?
    ) async throws(LedgerError) -> RunEnding
    func snapshot(of run: RunID, after place: RunSnapshot.Place?, limit: Int, maxBytes: Int) async throws(LedgerError) -> RunSnapshot?
    func details(of ids: [RunID]) async throws(LedgerError) -> [RunID: RunDetails]
}

extension Ledger: RunStore {}
