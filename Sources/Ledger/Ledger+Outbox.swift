public import Events
internal import PostgresClient

/// A (run, sink) leased to one publisher.
public struct OutboxClaim: Hashable, Sendable {
    public var run: RunID
    public var sink: String
    public var nextSeq: Int64
    /// The run's last seq when it was claimed.
    public var lastSeq: Int64
    public var token: FencingToken
    /// How often an operator has set the cursor.
    public var epoch: Int32 = 0
}

extension Ledger {
    /// Leases up to `limit` (run, sink) rows with something to publish and `retry_at` due, least recently served first, `SKIP LOCKED`, in one statement.
    ///
    /// What is pending is a generated column over (next_seq, tail_seq), so no wake-up can be lost between an append and a mark.
    public func claimOutbox(sink: String, publisher: WorkerID, ttl: Duration, limit: Int) async throws(LedgerError) -> [OutboxClaim] {
        try await mapped("claim outbox \(sink)") {
            let rows = try await pool.query(
                RunSQL.claimOutbox, [.text(sink), .text(publisher.description), .int64(ttl.milliseconds), .int64(Int64(limit))])
            return try rows.map { row in
                OutboxClaim(
                    run: try row.run("id"), sink: sink, nextSeq: try row.value("next_seq"), lastSeq: try row.value("tail_seq"),
                    token: FencingToken(try row.value("token")), epoch: try row.value("epoch"))
            }
        }
    }

    /// Moves cursors where they still stand at the claim's `nextSeq` under its token, and gives the leases back; returns those that moved.
    public func markPublished(_ marks: [(claim: OutboxClaim, nextSeq: Int64)]) async throws(LedgerError) -> Set<RunID> {
        var moved = Set<RunID>()
        for (sink, group) in Dictionary(grouping: marks, by: \.claim.sink) {
            moved.formUnion(
                try await mapped("mark outbox \(sink)") {
                    let rows = try await pool.query(
                        RunSQL.markPublished,
                        [
                            .text(sink), .texts(group.map(\.claim.run.description)), .int64s(group.map(\.claim.nextSeq)),
                            .int64s(group.map(\.nextSeq)), .int64s(group.map(\.claim.token.value)),
                        ])
                    return try rows.map { try $0.run("id") }
                })
        }
        return moved
    }

    /// Gives a claim back after a failure, to be tried again at `now + after`; keeps the error for the status.
    public func failOutbox(_ claim: OutboxClaim, error: String, retryAfter: Duration) async throws(LedgerError) {
        try await mapped("fail outbox \(claim.run)") {
            _ = try await pool.query(
                RunSQL.failOutbox,
                [
                    .text(claim.run.description), .text(claim.sink), .int64(claim.token.value), .text(error), .int64(retryAfter.milliseconds),
                ])
        }
    }

    /// Stops a (run, sink): a gap in the log, which is our own corruption. It is not claimed again until an operator resumes it.
    public func haltOutbox(_ claim: OutboxClaim, reason: String) async throws(LedgerError) {
        try await mapped("halt outbox \(claim.run)") {
            _ = try await pool.query(
                RunSQL.haltOutbox, [.text(claim.run.description), .text(claim.sink), .int64(claim.token.value), .text(reason)])
        }
    }

    /// Names of runs (or an empty text after lost ones) as appends commit: wake-ups for publishers, debounced by the receiver; a lost one costs one poll.
    ///
    /// `body` gets a bounded sequence of notifications on a connection of its own.
    public func withAppendNotifications(_ body: @Sendable (any AsyncSequence<String, any Error> & Sendable) async throws -> Void) async throws {
        try await body(AppendNotifications(configuration: pool.configuration, channel: "weir_append_\(schema)"))
    }
}
