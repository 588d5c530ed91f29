public import Events
internal import PostgresClient

/// A delivery of a stretch of a run to a sink again.
public struct ReplayRecord: Hashable, Sendable {
    /// `replay/<n>`: where its progress is told.
    public var run: RunID
    public var source: RunID
    public var range: ClosedRange<Int64>
    public var sink: String
    /// Everything from the range's beginning to here was delivered; one below the beginning at first.
    public var checkpoint: Int64
    /// Events that were delivered, filtered ones not counted; of all attempts.
    public var delivered: Int64
    public var token: FencingToken

    public init(run: RunID, source: RunID, range: ClosedRange<Int64>, sink: String, checkpoint: Int64, delivered: Int64, token: FencingToken) {
        self.run = run
        self.source = source
        self.range = range
        self.sink = sink
        self.checkpoint = checkpoint
        self.delivered = delivered
        self.token = token
    }
}

extension Ledger {
    /// Makes a replay and the run that tells of it.
    ///
    /// - Parameter sinks: of that run.
    public func createReplay(
        source: RunID, range: ClosedRange<Int64>, sink: String, owner: WorkerID, sinks: [String] = ["outlet"]
    ) async throws(LedgerError) -> ReplayRecord {
        try await mapped("replay of \(source)") {
            let rows = try await pool.query(
                UpkeepSQL.createReplay,
                [
                    .text(source.description), .int64(range.lowerBound), .int64(range.upperBound), .text(sink), .text(owner.description),
                    .texts(sinks),
                ])
            guard let row = rows.first else { throw LedgerError(code: .corrupt, message: "no row was made", place: "replay of \(source)") }
            return try Self.replay(row)
        }
    }

    /// Takes a replay over that somebody began: whoever had it can write no more. Nil where there is none, or it has ended.
    public func takeReplay(_ run: RunID, owner: WorkerID) async throws(LedgerError) -> ReplayRecord? {
        try await mapped("take \(run)") {
            try await pool.query(UpkeepSQL.takeReplay, [.text(run.description), .text(owner.description)]).first.map(Self.replay)
        }
    }

    /// Writes a checkpoint, and what the run tells of it, in one transaction; with `ending` also the terminal event.
    ///
    /// A crash before it leaves the checkpoint before: what came since is delivered again. Throws `fenced` where another process took the replay.
    public func checkpoint(
        _ replay: ReplayRecord, progress: [UInt8], ending: RunSummary.State? = nil
    ) async throws(LedgerError) {
        var events = [LogEvent(run: replay.run, seq: 0, kind: .progress, did: "", live: false, body: progress)]
        if let ending { events.append(Self.terminal(replay.run, ending)) }
        try await mapped("checkpoint of \(replay.run)") {
            try await pool.transaction { connection in
                let moved = try await connection.query(
                    UpkeepSQL.checkpointReplay,
                    [.text(replay.run.description), .int64(replay.token.value), .int64(replay.checkpoint), .int64(replay.delivered)])
                guard !moved.isEmpty else { throw LedgerError.fenced("checkpoint of \(replay.run)") }
                let commit = try await RunAppend.append(events, run: replay.run, on: connection)
                if let ending { _ = try await connection.query(RunSQL.endRun, [.int32(commit.runNumber), .text(ending.rawValue)]) }
            }
        }
    }

    private static func replay(_ row: PostgresRow) throws -> ReplayRecord {
        let (first, last): (Int64, Int64) = (try row.value("first_seq"), try row.value("last_seq"))
        return ReplayRecord(
            run: try row.run("run"), source: try row.run("source"), range: first...max(first, last), sink: try row.value("sink"),
            checkpoint: try row.value("checkpoint"), delivered: try row.value("delivered"), token: FencingToken(try row.value("token")))
    }
}
