public import Events
internal import Flow
internal import PostgresClient

extension Ledger {
    /// Appends an application's events, in one transaction under the lock of the run's row; see ``AppendPlan`` for what repeats and refuses them.
    ///
    /// Three round trips (lock and look-ups, run and keys, COPY) and one for the COMMIT. Appends of one run come one after the other.
    /// - Parameter expectedSeq: the run's last seq where anything is appended; nil: any.
    /// - Throws: `refused` or `runEnded` with a ``RunRefusal``, and nothing is written; `unavailable` with `mayHaveCommitted` where the answer to the COMMIT was
    ///   lost: events with dedup keys may simply be appended again.
    public func append(_ events: [ApplicationEvent], to run: RunID, expectedSeq: Int64? = nil) async throws(LedgerError) -> RunAppended {
        let place = "append to \(run)"
        return try await mapped(place) {
            try Self.checkBounds(of: events, place)
            return try await pool.transaction { connection in
                let (head, plan) = try await plan(events, run, expectedSeq, on: connection, place)
                guard !plan.fresh.isEmpty else {
                    return RunAppended(seqs: plan.seqs, appended: 0, lastSeq: head.lastSeq, loggedAt: head.at)
                }
                let rows = RunRows(plan.fresh.map { LogEvent(events[$0.index], run: run, keySequence: $0.keySequence) })
                let raised = try await connection.pipeline(
                    [RunAppend.raise(run, by: plan.fresh.count)] + Self.keyStatements(plan, run: head.number))
                let appended = try await RunAppend.append(rows, run: run, raised: raised[0], on: connection)
                guard appended.result.seqs.lowerBound == head.lastSeq + 1 else {
                    throw LedgerError(code: .corrupt, message: "the run moved under its lock", place: place)
                }
                return RunAppended(
                    seqs: plan.seqs, appended: plan.fresh.count, lastSeq: appended.result.seqs.upperBound - 1, loggedAt: appended.result.loggedAt)
            }
        }
    }

    private static func checkBounds(of events: [ApplicationEvent], _ place: String) throws(LedgerError) {
        var broken: String?
        if !(1...ApplicationEvent.appendMax).contains(events.count) {
            broken = "\(events.count) events; 1 to \(ApplicationEvent.appendMax) are taken at once"
        } else if let large = events.firstIndex(where: { $0.payload.count > ApplicationEvent.payloadBytesMax }) {
            broken = "event \(large) has a payload of \(events[large].payload.count) bytes; at most \(ApplicationEvent.payloadBytesMax) are taken"
        }
        if let broken { throw LedgerError(code: .refused, message: broken, place: place, refusal: .tooLarge(broken)) }
    }

    private func plan(
        _ events: [ApplicationEvent], _ run: RunID, _ expectedSeq: Int64?, on connection: PostgresConnection, _ place: String
    ) async throws -> (head: RunHead, plan: AppendPlan) {
        let id = PostgresParameter.text(run.description)
        let dedupKeys = Set(events.lazy.filter { !$0.dedupKey.isEmpty }.map { Array($0.dedupKey.utf8) })
        let keys = Set(events.lazy.filter { !$0.key.isEmpty }.map { Array($0.key.utf8) })
        var statements = [PostgresStatement(ApplicationSQL.lockRun, [id])]
        // Behind the lock: each sees what whoever had it before has committed.
        if !dedupKeys.isEmpty { statements.append(PostgresStatement(ApplicationSQL.selectDedupKeys, [id, Self.texts(dedupKeys)])) }
        if !keys.isEmpty { statements.append(PostgresStatement(ApplicationSQL.selectKeySequences, [id, Self.texts(keys)])) }
        let answers = try await connection.pipeline(statements)
        let head = try RunHead(answers[0], place)
        var known = AppendPlan.Known(isStarted: head.state == .started, lastSeq: head.lastSeq)
        if !dedupKeys.isEmpty { known.dedupKeys = try Self.numbers(answers[1]) }
        if !keys.isEmpty { known.keys = try Self.numbers(answers[dedupKeys.isEmpty ? 1 : 2]) }
        do {
            return (head, try AppendPlan(events, known: known, expectedSeq: expectedSeq))
        } catch {
            throw head.error(error, place)
        }
    }

    private static func texts(_ keys: Set<[UInt8]>) -> PostgresParameter { .texts(keys.map { String(decoding: $0, as: UTF8.self) }) }

    private static func numbers(_ rows: PostgresRows) throws -> [[UInt8]: Int64] {
        var numbers: [[UInt8]: Int64] = [:]
        for row in rows { numbers[Array(try row.value(0, as: String.self).utf8)] = try row.value(1) }
        return numbers
    }

    private static func keyStatements(_ plan: AppendPlan, run: Int32) -> [PostgresStatement] {
        var statements: [PostgresStatement] = []
        if !plan.dedupKeys.isEmpty {
            let keys = Array(plan.dedupKeys)
            statements.append(
                PostgresStatement(
                    ApplicationSQL.insertDedupKeys,
                    [.int32(run), .texts(keys.map { String(decoding: $0.key, as: UTF8.self) }), .int64s(keys.map(\.value))]))
        }
        if !plan.keyHeads.isEmpty {
            let heads = Array(plan.keyHeads.values)
            statements.append(
                PostgresStatement(
                    ApplicationSQL.upsertKeys,
                    [
                        .int32(run), .texts(heads.map { String(decoding: $0.key, as: UTF8.self) }), .int64s(heads.map(\.sequence)),
                        .int64s(heads.map(\.seq)),
                    ]))
        }
        return statements
    }

    /// Ends a run with its terminal event, whose body has the reason where one is given; a run that ended so before is answered as it was.
    ///
    /// Throws `refused` (`unknown`, `conflict`) and `runEnded` where it ended in another state.
    public func endRun(
        _ id: RunID, state: RunSummary.State, reason: String?, by owner: String, expectedSeq: Int64? = nil
    ) async throws(LedgerError) -> RunEnding {
        let place = "end \(id)"
        return try await mapped(place) {
            try await pool.transaction { connection in
                let head = try RunHead(try await connection.query(ApplicationSQL.lockRun, [.text(id.description)]), place)
                if head.state == state { return RunEnding(state: state, seq: head.lastSeq, isNew: false) }
                guard head.state == .started else { throw head.error(.ended, place) }
                if let expectedSeq, expectedSeq != head.lastSeq { throw head.error(.conflict(lastSeq: head.lastSeq), place) }
                let commit = try await RunAppend.append([Self.terminal(id, state, reason)], run: id, on: connection)
                _ = try await connection.pipeline([
                    PostgresStatement(RunSQL.endRun, [.int32(head.number), .text(state.rawValue)]),
                    PostgresStatement(ApplicationSQL.noteRunEnd, [.int32(head.number), .text(reason?.storable), .text(owner)]),
                ])
                return RunEnding(state: state, seq: commit.result.seqs.lowerBound, isNew: true)
            }
        }
    }

    private static func terminal(_ run: RunID, _ state: RunSummary.State, _ reason: String?) -> LogEvent {
        var event = terminal(run, state)
        guard let reason else { return event }
        var json = JSONWriter()
        json.beginObject()
        json.member("state", state.rawValue)
        json.member("reason", reason)
        json.endObject()
        event.body = json.take()
        return event
    }
}
