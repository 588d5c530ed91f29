internal import Events
internal import PostgresClient

/// Appends events to a run inside a transaction: the run's last seq and its lock, binary COPY, the outbox's tails. Shared by shards' batches
/// and by applications' runs.
enum RunAppend {
    struct Appended {
        var runNumber: Int32
        var result: ShardCommit
    }

    /// Raises the run's last seq and locks its row until the COMMIT; its answer says where the events go. No row where the run is not started.
    static func raise(_ run: RunID, by count: Int) -> PostgresStatement {
        PostgresStatement(raiseRun, [.text(run.description), .int64(Int64(count))])
    }

    /// Gives seqs from the run's last one on. Throws `runEnded` where the run is not started, `corrupt` where it does not exist.
    static func append(_ events: [LogEvent], run: RunID, on connection: PostgresConnection) async throws -> Appended {
        guard !events.isEmpty else { return try await nothing(run, on: connection) }
        let statement = raise(run, by: events.count)
        return try await append(RunRows(events), run: run, raised: try await connection.query(statement.sql, statement.parameters), on: connection)
    }

    /// As above, where ``raise(_:by:)`` was answered already. The tails of the outbox go with the COMMIT, and behind it a wake-up.
    static func append(
        _ rows: RunRows, run: RunID, raised: PostgresRows, on connection: PostgresConnection, seams: FaultSeams = .off
    ) async throws -> Appended {
        guard let row = raised.first else {
            _ = try await nothing(run, on: connection)
            throw LedgerError(code: .contention, message: "the run began while it was asked for", place: "run \(run)")
        }
        let number: Int32 = try row.value("no")
        let first: Int64 = try row.value("first_seq")
        let loggedAt: PostgresTimestamp = try row.value("logged_at")
        let copy = rows.copy(run: number, first: first, day: try row.value("day"), loggedAt: loggedAt)
        let copied = try await connection.copyIn(copyEvents, chunks: SeamedChunks(chunks: copy.chunks(), seams: seams))
        guard copied == rows.count else {
            throw LedgerError(code: .corrupt, message: "\(copied) of \(rows.count) rows were copied", place: "run \(run)")
        }
        let seqs = first..<first + Int64(rows.count)
        try await connection.beforeCommit(PostgresStatement(commitTails, [.int32(number), .int64(seqs.upperBound - 1)]))
        try await connection.afterCommit(PostgresStatement(BatchSQL.commitNotify, [.text(run.description)]))
        return Appended(runNumber: number, result: ShardCommit(seqs: seqs, loggedAt: WallTime(loggedAt)))
    }

    /// Where a run stands that takes nothing; throws where it could not.
    private static func nothing(_ run: RunID, on connection: PostgresConnection) async throws -> Appended {
        guard let row = try await connection.query(runState, [.text(run.description)]).first else {
            throw LedgerError(code: .corrupt, message: "there is no such run", place: "run \(run)")
        }
        let state: String = try row.value("state")
        guard state == RunSummary.State.started.rawValue else {
            throw LedgerError(code: .runEnded, message: "the run is \(state)", place: "run \(run)")
        }
        let next = try row.value("last_seq", as: Int64.self) + 1
        return Appended(runNumber: try row.value("no"), result: ShardCommit(seqs: next..<next, loggedAt: try row.time("at")))
    }

    private static let raiseRun = text(PackageResources.commit_raise_run_sql)
    private static let runState = text(PackageResources.run_state_sql)
    private static let copyEvents = text(PackageResources.commit_copy_events_sql)
    private static let commitTails = text(PackageResources.commit_tails_sql)

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
