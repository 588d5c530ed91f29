import Events
import Flow

@testable import Ledger
@testable import Serve

/// Runs of applications in memory: the plan decides, as in the ledger.
extension MemoryLog: RunStore {
    private func refused(_ refusal: RunRefusal) -> LedgerError { LedgerError(code: .refused, message: "refused", place: "test", refusal: refusal) }

    func createRun(_ creation: RunCreation) async throws(LedgerError) -> (run: RunSummary, isNew: Bool) {
        try check()
        let idempotency = creation.idempotencyKey.isEmpty ? nil : "\(creation.owner)\u{1}\(creation.idempotencyKey)"
        if let idempotency, let id = idempotent[idempotency], let run = summaries[id] {
            guard run.kind == creation.kind, detailsByRun[id]?.metadata == creation.metadata else { throw refused(.differs(id)) }
            return (run, false)
        }
        guard let id = creation.id ?? RunID("\(creation.generatedPrefix)generated-\(summaries.count)") else { throw refused(.exists) }
        guard summaries[id] == nil else { throw refused(.exists) }
        create(id, kind: creation.kind)
        detailsByRun[id] = RunDetails(owner: creation.owner, metadata: creation.metadata)
        known[id] = AppendPlan.Known(isStarted: true, lastSeq: 0)
        if let idempotency { idempotent[idempotency] = id }
        guard let run = summaries[id] else { throw refused(.unknown) }
        return (run, true)
    }

    func append(_ events: [ApplicationEvent], to run: RunID, expectedSeq: Int64?) async throws(LedgerError) -> RunAppended {
        try check()
        guard let summary = summaries[run], var state = known[run] else { throw refused(.unknown) }
        let plan: AppendPlan
        do throws(AppendPlan.Refusal) {
            plan = try AppendPlan(events, known: state, expectedSeq: expectedSeq)
        } catch {
            switch error {
            case .ended: throw refused(.ended(summary.state))
            case .conflict(let lastSeq): throw refused(.conflict(lastSeq: lastSeq))
            case .regressing(let index, let last): throw refused(.regressing(index: index, last: last))
            }
        }
        state.lastSeq += Int64(plan.fresh.count)
        state.dedupKeys.merge(plan.dedupKeys) { _, new in new }
        for head in plan.keyHeads.values { state.keys[head.key] = head.sequence }
        known[run] = state
        append(
            plan.fresh.map { fresh in
                var event = LogEvent(events[fresh.index], run: run, keySequence: fresh.keySequence)
                event.seq = fresh.seq
                return event
            })
        return RunAppended(seqs: plan.seqs, appended: plan.fresh.count, lastSeq: state.lastSeq, loggedAt: WallTime(microseconds: 1))
    }

    func endRun(
        _ id: RunID, state: RunSummary.State, reason: String?, by owner: String, expectedSeq: Int64?
    ) async throws(LedgerError) -> RunEnding {
        try check()
        guard let run = summaries[id] else { throw refused(.unknown) }
        if run.state == state { return RunEnding(state: state, seq: run.lastSeq, isNew: false) }
        guard run.state == .started else { throw refused(.ended(run.state)) }
        if let expectedSeq, expectedSeq != run.lastSeq { throw refused(.conflict(lastSeq: run.lastSeq)) }
        append([LogEvent(run: id, seq: run.lastSeq + 1, kind: .terminal, did: "", body: Array("{\"state\":\"\(state.rawValue)\"}".utf8))])
        known[id]?.isStarted = false
        known[id]?.lastSeq += 1
        detailsByRun[id, default: RunDetails(owner: "", metadata: Array("{}".utf8))].endReason = reason
        detailsByRun[id]?.endedBy = owner
        return RunEnding(state: state, seq: run.lastSeq + 1, isNew: true)
    }

    func snapshot(of run: RunID, after place: RunSnapshot.Place?, limit: Int, maxBytes: Int) async throws(LedgerError) -> RunSnapshot? {
        try check()
        guard let summary = summaries[run] else { return nil }
        var latest: [String: LogEvent] = [:]
        for event in log(of: run) where !event.key.isEmpty { latest[event.key] = event }
        let rest = latest.values.sorted { ($0.keySequence ?? 0, $0.key) < ($1.keySequence ?? 0, $1.key) }.filter { event in
            guard let place else { return true }
            return (event.keySequence ?? 0, event.key) > (place.keySequence, place.key)
        }
        let events = Array(rest.prefix(limit))
        return RunSnapshot(
            state: summary.state, lastSeq: summary.lastSeq, events: events,
            next: rest.count > limit ? events.last.map { RunSnapshot.Place(keySequence: $0.keySequence ?? 0, key: $0.key) } : nil)
    }

    func details(of ids: [RunID]) async throws(LedgerError) -> [RunID: RunDetails] {
        try check()
        return detailsByRun.filter { ids.contains($0.key) }
    }
}
