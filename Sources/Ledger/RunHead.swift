internal import Events
internal import Flow
internal import PostgresClient

/// A run's row, locked.
struct RunHead: Sendable {
    var number: Int32
    var state: RunSummary.State
    var lastSeq: Int64
    var at: WallTime

    /// Of the answer to `lock_run.sql`; throws `refused` where there is no such run.
    init(_ rows: PostgresRows, _ place: String) throws {
        guard let row = rows.first else {
            throw LedgerError(code: .refused, message: "there is no such run", place: place, refusal: .unknown)
        }
        number = try row.value("no")
        state = try row.known("state")
        lastSeq = try row.value("last_seq")
        at = try row.time("at")
    }

    func error(_ refusal: AppendPlan.Refusal, _ place: String) -> LedgerError {
        switch refusal {
        case .ended: LedgerError(code: .runEnded, message: "the run is \(state.rawValue)", place: place, refusal: .ended(state))
        case .conflict(let lastSeq):
            LedgerError(code: .refused, message: "the run's last seq is \(lastSeq)", place: place, refusal: .conflict(lastSeq: lastSeq))
        case .regressing(let index, let last):
            LedgerError(
                code: .refused, message: "event \(index) has a key sequence that is not above \(last)", place: place,
                refusal: .regressing(index: index, last: last))
        }
    }
}
