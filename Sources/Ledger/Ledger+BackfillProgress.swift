public import Events
internal import PostgresClient

/// How far enumerations are: in their runs, and for `/status`.
extension Ledger {
    /// Appends to the run of a pass and notes what its owner counted, fenced, as one transaction; with `ending` also the terminal event. Returns the last seq.
    ///
    /// The source is `finished` with a run that is. Throws `fenced` where another process owns the enumeration, `contention` where another pass has begun
    /// or the list is not at its end, `runEnded` where the run has: nothing is written then.
    public func tellBackfill(
        _ lease: UpstreamLease, pass: Int, run: RunID, progress: [UInt8], open: Int64, failing: Int64, ending: RunSummary.State?
    ) async throws(LedgerError) -> Int64 {
        let source = PostgresParameter.text(lease.upstream.host)
        var events = [LogEvent(run: run, seq: 0, kind: .progress, did: "", live: false, host: lease.upstream.host, body: progress)]
        if let ending { events.append(Self.terminal(run, ending)) }
        return try await mapped("tell of the backfill of \(lease.upstream.host)") {
            try await pool.transaction { connection in
                _ = try await connection.query(JobSQL.requireSource, [source, .int64(lease.token.value)])
                let told = try await connection.query(
                    JobSQL.tellBackfillSource, [source, .int32(Int32(clamping: pass)), .int64(open), .int64(failing), .bool(ending == .finished)])
                guard told.affectedRows == 1 else {
                    throw LedgerError(code: .contention, message: "pass \(pass) is over, or its list is not", place: "run \(run)")
                }
                let commit = try await RunAppend.append(events, run: run, on: connection)
                if let ending { _ = try await connection.query(RunSQL.endRun, [.int32(commit.runNumber), .text(ending.rawValue)]) }
                return commit.result.seqs.upperBound - 1
            }
        }
    }

    /// How many gaps relays have declared, ever.
    public func declaredGaps() async throws(LedgerError) -> Int64 {
        try await mapped("declared gaps") { try await pool.query(JobSQL.declaredGaps).first?.value("gaps") ?? 0 }
    }

    /// Puts off the deadlines of queued jobs, which the caller has seen in the stream, where they come within half of `deadline`.
    public func keepQueued(_ dids: [String], deadline: Duration) async throws(LedgerError) {
        guard !dids.isEmpty else { return }
        try await mapped("keep queued jobs") {
            _ = try await pool.query(JobSQL.keepQueued, [.texts(dids.map(\.storable)), .int64(deadline.milliseconds)])
        }
    }

    /// Hosts that are left alone now.
    public func parkedHostCount() async throws(LedgerError) -> Int64 {
        try await mapped("parked hosts") { try await pool.query(JobSQL.parkedHostCount).first?.value("parked") ?? 0 }
    }

    static func terminal(_ run: RunID, _ state: RunSummary.State) -> LogEvent {
        LogEvent(run: run, seq: 0, kind: .terminal, did: "", body: Array("{\"state\":\"\(state.rawValue)\"}".utf8))
    }
}
