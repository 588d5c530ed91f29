internal import Events
internal import PostgresClient

/// Appends events to a run inside a transaction: row lock, binary COPY, the run's last seq and the outbox's tails. Shared by shards' batches
/// and by applications' runs.
enum RunAppend {
    struct Appended {
        var runNumber: Int32
        var result: ShardCommit
    }

    /// The first statement: the run's row, locked until the commit.
    static func lock(_ run: RunID) -> PostgresStatement { PostgresStatement(lockRun, [.text(run.description)]) }

    /// Gives seqs from the run's last one on. Throws `runEnded` where the run is not started, `corrupt` where it does not exist.
    static func append(_ events: [LogEvent], run: RunID, on connection: PostgresConnection) async throws -> Appended {
        let statement = lock(run)
        let locked = try await connection.query(statement.sql, statement.parameters)
        return try await append(events, run: run, locked: locked, on: connection, then: [])
    }

    /// As above, under a lock that was taken already; the statements of `then` go in one pipeline with the last of this.
    static func append(
        _ events: [LogEvent], run: RunID, locked: PostgresRows, on connection: PostgresConnection, then following: [PostgresStatement],
        seams: FaultSeams = .off
    ) async throws -> Appended {
        guard let row = locked.first else { throw LedgerError(code: .corrupt, message: "there is no such run", place: "run \(run)") }
        let state: String = try row.value("state")
        guard state == RunSummary.State.started.rawValue else {
            throw LedgerError(code: .runEnded, message: "the run is \(state)", place: "run \(run)")
        }
        let number: Int32 = try row.value("no")
        let first = try row.value("last_seq", as: Int64.self) + 1
        let loggedAt: PostgresTimestamp = try row.value("logged_at")
        // A clock that steps back over midnight must not put a later seq on an earlier day.
        let today: PostgresDate = try row.value("day")
        let day = max(today, try row.optional("last_day") ?? today)
        let result = ShardCommit(seqs: first..<first + Int64(events.count), loggedAt: WallTime(loggedAt))
        guard !events.isEmpty else {
            _ = try await connection.pipeline(following)
            return Appended(runNumber: number, result: result)
        }

        var copy = BinaryCopyWriter(columnCount: 16)
        for (index, event) in events.enumerated() {
            write(event, number: number, seq: first + Int64(index), day: day, loggedAt: loggedAt, into: &copy)
        }
        let copied = try await connection.copyIn(copyEvents, chunks: SeamedChunks(chunks: copy.chunks(), seams: seams))
        guard copied == events.count else {
            throw LedgerError(code: .corrupt, message: "\(copied) of \(events.count) rows were copied", place: "run \(run)")
        }
        let raise = PostgresStatement(
            raiseRun, [.int32(number), .int64(result.seqs.upperBound - 1), .timestamp(loggedAt), .date(day), .int64(first)])
        _ = try await connection.pipeline(following + [raise])
        try await connection.afterCommit(PostgresStatement(BatchSQL.commitNotify, [.text(run.description)]))
        return Appended(runNumber: number, result: result)
    }

    private static func write(
        _ event: LogEvent, number: Int32, seq: Int64, day: PostgresDate, loggedAt: PostgresTimestamp, into copy: inout BinaryCopyWriter
    ) {
        copy.beginRow()
        copy.value(number)
        copy.value(seq)
        copy.value(day)
        copy.value(event.kind.rawValue)
        copy.value(event.did.storable)
        copy.value(event.rev.storable)
        copy.value(event.collection.storable)
        copy.value(event.rkey.storable)
        copy.value(event.action?.rawValue ?? "")
        copy.value(event.cid.storable)
        copy.value(event.live)
        copy.value(event.host.storable)
        copy.value(event.time.storable)
        copy.value(event.mark.storable)
        copy.value(loggedAt)
        copy.bytea(event.body)
    }

    private static let lockRun = String(decoding: PackageResources.commit_lock_run_sql, as: UTF8.self)
    private static let copyEvents = String(decoding: PackageResources.commit_copy_events_sql, as: UTF8.self)
    private static let raiseRun = String(decoding: PackageResources.commit_raise_run_sql, as: UTF8.self)
}
