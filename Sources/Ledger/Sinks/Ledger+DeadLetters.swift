public import Events
internal import PostgresClient

/// Events that sinks' targets refused, and what operators say about them.
extension Ledger {
    /// Moves the claim's cursor behind an event and keeps the event, in one transaction; false where the claim is not ours any more.
    public func layAside(_ event: RefusedEvent, of claim: OutboxClaim) async throws(LedgerError) -> Bool {
        try await mapped("lay aside \(claim.run) \(event.seq)") {
            try await !pool.query(SinkSQL.layAsideEvent, Self.parameters(event, claim)).isEmpty
        }
    }

    /// Stops the claim's run in its sink at an event and keeps the event, in one transaction; false where the claim is not ours any more.
    public func halt(at event: RefusedEvent, of claim: OutboxClaim, reason: String) async throws(LedgerError) -> Bool {
        try await mapped("halt \(claim.run) at \(event.seq)") {
            try await !pool.query(SinkSQL.haltAtEvent, Self.parameters(event, claim) + [.text(reason.storable)]).isEmpty
        }
    }

    private static func parameters(_ event: RefusedEvent, _ claim: OutboxClaim) -> [PostgresParameter] {
        [
            .text(claim.run.description), .text(claim.sink), .int64(claim.token.value), .int64(event.seq), .text(event.error.storable),
            .int32(event.attempts), .text(event.payload.storable),
        ]
    }

    /// Newest first, without their payloads, at most `limit` (1…1000) below the id `before`.
    /// - Parameters:
    ///   - sink: nil: of every sink, and of repositories that were given up.
    ///   - withSkipped: also those that are left undelivered for good.
    public func deadLetters(
        sink: SinkName?, withSkipped: Bool, before: Int64?, limit: Int
    ) async throws(LedgerError) -> [DeadLetter] {
        let states = DeadLetter.State.allCases.filter { withSkipped || $0 != .skipped }
        return try await selectLetters(before: before, limit: min(max(limit, 1), 1000), sink: sink, states: states, id: nil)
    }

    /// With its payload.
    public func deadLetter(_ id: Int64) async throws(LedgerError) -> DeadLetter? {
        try await selectLetters(before: nil, limit: 1, sink: nil, states: DeadLetter.State.allCases, id: id).first
    }

    private func selectLetters(
        before: Int64?, limit: Int, sink: SinkName?, states: [DeadLetter.State], id: Int64?
    ) async throws(LedgerError) -> [DeadLetter] {
        try await mapped("dead letters") {
            let rows = try await pool.query(
                SinkSQL.selectLetters,
                [.int64(before), .int64(Int64(limit)), .text(sink?.description), .texts(states.map(\.rawValue)), .int64(id)])
            return try rows.map { row in
                DeadLetter(
                    id: try row.value("id"), queue: try row.value("queue"), key: try row.value("key"),
                    run: try row.optional("run", as: String.self).flatMap { RunID($0) }, seq: try row.optional("seq"),
                    error: try row.value("error"), attempts: try row.value("attempts"), state: try row.known("state"),
                    deadAt: try row.time("dead_at"), changedAt: try row.time("changed_at"),
                    payload: id == nil ? nil : try row.optional("payload"))
            }
        }
    }

    /// Offers a sink's event again: one that was laid aside goes by itself, out of order; one that its run waits for lets the run go on. False where there
    /// is no such letter, or it is being offered already.
    public func requeueLetter(_ id: Int64) async throws(LedgerError) -> Bool { try await order(SinkSQL.requeueLetter, id) }

    /// Leaves a sink's event undelivered for good; its run, where it waits, goes on behind it. False where there is no such letter, or it is skipped.
    public func skipLetter(_ id: Int64) async throws(LedgerError) -> Bool { try await order(SinkSQL.skipLetter, id) }

    private func order(_ statement: String, _ id: Int64) async throws(LedgerError) -> Bool {
        try await mapped("dead letter \(id)") {
            let rows = try await pool.query(statement, [.int64(id)])
            if !rows.isEmpty { _ = try await pool.query(SinkSQL.wakeSinks) }
            return !rows.isEmpty
        }
    }

    /// A letter that is to be delivered again.
    public struct RequeuedLetter: Hashable, Sendable {
        public var id: Int64
        public var run: RunID
        public var seq: Int64

        public init(id: Int64, run: RunID, seq: Int64) {
            self.id = id
            self.run = run
            self.seq = seq
        }
    }

    /// Takes letters to deliver, which nobody else gets for so long.
    public func claimLetters(_ sink: SinkName, limit: Int, within: Duration) async throws(LedgerError) -> [RequeuedLetter] {
        try await mapped("requeued letters of \(sink)") {
            let rows = try await pool.query(
                SinkSQL.claimLetters, [.text(sink.description), .int64(Int64(limit)), .int64(within.milliseconds)])
            return try rows.map { RequeuedLetter(id: try $0.value("id"), run: try $0.run("run"), seq: try $0.value("seq")) }
        }
    }

    /// Deletes those that were delivered; those that were refused again are dead again, with the error; those that are open still may be claimed again
    /// after so long.
    public func settleLetters(
        delivered: [Int64], refused: [(id: Int64, error: String)], open: [Int64] = [], retryAfter: Duration = .zero
    ) async throws(LedgerError) {
        try await mapped("settle letters") {
            _ = try await pool.query(
                SinkSQL.settleLetters,
                [
                    .int64s(delivered), .int64s(refused.map(\.id)), .texts(refused.map(\.error.storable)), .int64s(open),
                    .int64(retryAfter.milliseconds),
                ])
        }
    }
}
