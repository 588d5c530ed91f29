import Broker
public import Events
import Ledger

/// Readiness as the ledger shows it: of the whole fleet, or of what one process owns.
public actor LedgerReadiness: ReadinessSource {
    private let store: any LogStore
    private var judge: ReadinessJudge

    /// - Parameters:
    ///   - process: nil: the whole fleet, as `weir api` answers; else only what this process owns, so that a stand-by is ready.
    ///   - stallAfter: how long what has work may stand still.
    public init(ledger: any LogStore, process: WorkerID? = nil, stallAfter: Duration = .seconds(30)) {
        store = ledger
        judge = ReadinessJudge(scope: process.map { .owned(by: $0) } ?? .fleet, stallAfter: stallAfter)
    }

    public func reasons() async -> [ReadinessReason] {
        do {
            let status = try await store.status()
            return judge.reasons(status, now: .current)
        } catch {
            return [ReadinessReason(code: .ledgerUnavailable, entity: "ledger", detail: error.description)]
        }
    }
}
