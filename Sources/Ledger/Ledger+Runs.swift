public import Events
internal import PostgresClient

/// A run as its row stands.
public struct RunSummary: Hashable, Sendable {
    public enum State: String, Hashable, Sendable, CaseIterable { case started, finished, cancelled, failed }
    public var id: RunID
    /// `firehose`, …
    public var kind: String
    public var state: State
    public var startedAt: WallTime
    public var finishedAt: WallTime?
    /// 0 while empty.
    public var lastSeq: Int64
    public var lastEventAt: WallTime?
    /// The next seq to publish, by sink.
    public var nextSeq: [String: Int64]
}

extension Ledger {
    /// Runs in order of id after `after`, at most `limit` (1…1000).
    public func runs(state: RunSummary.State?, kind: String?, after: RunID?, limit: Int) async throws(LedgerError) -> [RunSummary] {
        try await runs(state: state, kind: kind, prefixes: nil, after: after, limit: limit)
    }

    /// The same, of those whose ids begin with one of `prefixes`; nil: of all.
    public func runs(
        state: RunSummary.State?, kind: String?, prefixes: [String]?, after: RunID?, limit: Int
    ) async throws(LedgerError) -> [RunSummary] {
        try await selectRuns(state: state, kind: kind, prefixes: prefixes, after: after, limit: min(max(limit, 1), 1000), ids: nil)
    }

    public func run(_ id: RunID) async throws(LedgerError) -> RunSummary? { try await runs([id])[id] }

    /// Those of `ids` that exist, in one statement: for clients' heartbeats.
    public func runs(_ ids: [RunID]) async throws(LedgerError) -> [RunID: RunSummary] {
        guard !ids.isEmpty else { return [:] }
        let found = try await selectRuns(state: nil, kind: nil, prefixes: nil, after: nil, limit: ids.count, ids: ids)
        return Dictionary(found.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    }

    private func selectRuns(
        state: RunSummary.State?, kind: String?, prefixes: [String]?, after: RunID?, limit: Int, ids: [RunID]?
    ) async throws(LedgerError) -> [RunSummary] {
        try await mapped("runs") {
            let rows = try await pool.query(
                RunSQL.selectRuns,
                [
                    .text(state?.rawValue), .text(kind), .text(after?.description), .int64(Int64(limit)),
                    ids.map { .texts($0.map(\.description)) } ?? .null, prefixes.map { .texts($0) } ?? .null,
                ])
            return try rows.map(Self.summary)
        }
    }

    private static func summary(_ row: PostgresRow) throws -> RunSummary {
        let sinks: [String?] = try row.array("sinks")
        let seqs: [Int64?] = try row.array("next_seqs")
        var nextSeq: [String: Int64] = [:]
        for case (let sink?, let seq?) in zip(sinks, seqs) { nextSeq[sink] = seq }
        return RunSummary(
            id: try row.run("id"), kind: try row.value("kind"), state: RunSummary.State(rawValue: try row.value("state")) ?? .failed,
            startedAt: try row.time("started_at"), finishedAt: try row.optionalTime("finished_at"), lastSeq: try row.value("last_seq"),
            lastEventAt: try row.optionalTime("last_event_at"), nextSeq: nextSeq)
    }

    /// Events with seq > `after`, in order, at most `limit` and about `maxBytes` of bodies (at least one).
    ///
    /// Where those right behind `after` are gone, they begin with the first that is still there, however far it is.
    public func events(run: RunID, after: Int64, limit: Int, maxBytes: Int) async throws(LedgerError) -> [LogEvent] {
        let found = try await page(run: run, after: after, limit: limit, maxBytes: maxBytes)
        guard found.isEmpty, let next = try await firstSeq(run: run, after: after), next > after + 1 else { return found }
        return try await page(run: run, after: next - 1, limit: limit, maxBytes: maxBytes)
    }

    private func page(run: RunID, after: Int64, limit: Int, maxBytes: Int) async throws(LedgerError) -> [LogEvent] {
        try await mapped("events of \(run)") {
            let rows = try await pool.query(
                RunSQL.readEvents,
                [.text(run.description), .int64(after), .int64(Int64(max(limit, 1))), .int64(Int64(max(maxBytes, 1)))])
            return try rows.map { try Self.event($0, run) }
        }
    }

    static func event(_ row: PostgresRow, _ run: RunID) throws -> LogEvent {
        let kind: String = try row.value(1)
        guard let known = LogEvent.Kind(rawValue: kind) else {
            throw LedgerError(code: .corrupt, message: "a log event of kind \(kind)", place: "events of \(run)")
        }
        let action: String = try row.value(6)
        return LogEvent(
            run: run, seq: try row.value(0), kind: known, did: try row.value(2), rev: try row.value(3), collection: try row.value(4),
            rkey: try row.value(5), action: LogEvent.Action(rawValue: action), cid: try row.value(7), live: try row.value(8),
            host: try row.value(9), time: try row.value(10), mark: try row.value(11),
            loggedAt: WallTime(try row.value(12, as: PostgresTimestamp.self)), body: try row.utf8(13))
    }

    /// Creates a run of an application or of a test; false where it is there already.
    public func createRun(_ id: RunID, kind: String, sinks: [String]) async throws(LedgerError) -> Bool {
        try await mapped("create run \(id)") {
            try await !pool.query(RunSQL.createRun, [.text(id.description), .text(kind), .texts(sinks)]).isEmpty
        }
    }

    /// Appends events to a run that is `started`, in one transaction under the run's row lock; throws `runEnded`.
    public func append(_ events: [LogEvent], run: RunID) async throws(LedgerError) -> ShardCommit {
        try await append(events, run: run, ending: nil)
    }

    /// Appends the terminal event and ends the run.
    public func endRun(_ id: RunID, state: RunSummary.State) async throws(LedgerError) -> Int64 {
        try await append([Self.terminal(id, state)], run: id, ending: state).seqs.lowerBound
    }

    private func append(_ events: [LogEvent], run: RunID, ending: RunSummary.State?) async throws(LedgerError) -> ShardCommit {
        try await mapped("append to \(run)") {
            try await pool.transaction { connection in
                let commit = try await RunAppend.append(events, run: run, on: connection)
                if let ending { _ = try await connection.query(RunSQL.endRun, [.int32(commit.runNumber), .text(ending.rawValue)]) }
                return commit.result
            }
        }
    }
}
