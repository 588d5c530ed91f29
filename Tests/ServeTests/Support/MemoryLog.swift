import Events
import Flow

@testable import Ledger
@testable import Serve

/// The ledger's runs and log in memory.
actor MemoryLog: LogStore {
    var summaries: [RunID: RunSummary] = [:]
    /// What runs of applications know of their keys, and what was said of them.
    var known: [RunID: AppendPlan.Known] = [:]
    var detailsByRun: [RunID: RunDetails] = [:]
    var idempotent: [String: RunID] = [:]
    private var logs: [RunID: [LogEvent]] = [:]
    private var fleet = FleetStatus(upstreams: [], shards: [], workers: [], refused: [:])
    private var labels: [StoredLabel] = []
    private var isDown = false
    private(set) var eventReads = 0

    func create(_ run: RunID, kind: String = "test") {
        summaries[run] = RunSummary(
            id: run, kind: kind, state: .started, startedAt: WallTime(microseconds: 0), finishedAt: nil, lastSeq: 0, lastEventAt: nil,
            nextSeq: ["outlet": 1])
    }

    /// Appends events; `published` moves the cursor of the outlet too.
    func append(_ events: [LogEvent], published: Bool = true) {
        for event in events {
            if summaries[event.run] == nil { create(event.run) }
            logs[event.run, default: []].append(event)
            summaries[event.run]?.lastSeq = event.seq
            if published { summaries[event.run]?.nextSeq["outlet"] = event.seq + 1 }
            if event.kind == .terminal {
                let text = String(decoding: event.body, as: UTF8.self)
                summaries[event.run]?.state = RunSummary.State.allCases.first { text.contains("\"\($0.rawValue)\"") } ?? .finished
            }
        }
    }

    /// As retention or corruption would.
    func remove(_ run: RunID, _ seqs: ClosedRange<Int64>) { logs[run]?.removeAll { seqs.contains($0.seq) } }
    func set(_ labels: [StoredLabel]) { self.labels = labels }
    func set(_ status: FleetStatus) { fleet = status }
    func setDown(_ down: Bool) { isDown = down }

    func check() throws(LedgerError) {
        if isDown { throw LedgerError(code: .unavailable, message: "down", place: "test") }
    }

    func runs(
        state: RunSummary.State?, kind: String?, prefixes: [String]?, after: RunID?, limit: Int
    ) async throws(LedgerError) -> [RunSummary] {
        try check()
        let all = summaries.values.sorted { $0.id < $1.id }
        return Array(
            all.filter { run in
                (state.map { run.state == $0 } ?? true) && (kind.map { run.kind == $0 } ?? true) && (after.map { run.id > $0 } ?? true)
                    && (prefixes?.contains { run.id.description.hasPrefix($0) } ?? true)
            }.prefix(limit))
    }

    func run(_ id: RunID) async throws(LedgerError) -> RunSummary? {
        try check()
        return summaries[id]
    }

    func runs(_ ids: [RunID]) async throws(LedgerError) -> [RunID: RunSummary] {
        try check()
        return summaries.filter { ids.contains($0.key) }
    }

    func log(of run: RunID) -> [LogEvent] { logs[run] ?? [] }

    func events(run: RunID, after: Int64, limit: Int, maxBytes: Int) async throws(LedgerError) -> [LogEvent] {
        try check()
        eventReads += 1
        return Array((logs[run] ?? []).filter { $0.seq > after }.prefix(limit))
    }

    func currentLabels(of subjects: [LabelSubject], sources: [String]?, limit: Int) async throws(LedgerError) -> [StoredLabel] {
        try check()
        let wanted = Set(subjects.map(\.subject))
        return Array(labels.filter { wanted.contains($0.key.subject) && sources?.contains($0.src) ?? true }.prefix(limit))
    }

    func status() async throws(LedgerError) -> FleetStatus {
        try check()
        return fleet
    }
}
