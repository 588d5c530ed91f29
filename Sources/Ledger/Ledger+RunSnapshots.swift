public import Events
internal import PostgresClient

extension Ledger {
    /// The latest event of each key, as `replay` gives it of all events: for each key the one with the highest key sequence. Events without a key are no part
    /// of it: they are history, not state.
    ///
    /// One statement, so one moment. At most `limit` keys and about `maxBytes` of bodies (one event at least); nil where there is no such run.
    public func snapshot(
        of run: RunID, after place: RunSnapshot.Place?, limit: Int, maxBytes: Int
    ) async throws(LedgerError) -> RunSnapshot? {
        let limit = max(1, limit)
        return try await mapped("snapshot of \(run)") {
            let rows = try await pool.query(
                ApplicationSQL.snapshotRun,
                [
                    .text(run.description), .int64(place?.keySequence ?? -1), .text(place?.key ?? ""), .int64(Int64(limit)),
                    .int64(Int64(max(1, maxBytes))),
                ])
            guard let head = rows.first else { return nil }
            let events = try rows.compactMap { row in
                try row.optional(0, as: Int64.self) == nil ? nil : try Self.event(row, run)
            }
            return RunSnapshot(
                state: try head.known("state"), lastSeq: try head.value("last_seq"), events: events,
                next: try Self.next(head, events: events, limit: limit))
        }
    }

    private static func next(_ head: PostgresRow, events: [LogEvent], limit: Int) throws -> RunSnapshot.Place? {
        if try head.value("page_count", as: Int64.self) > Int64(events.count), let last = events.last {
            return RunSnapshot.Place(keySequence: last.keySequence ?? 0, key: last.key)
        }
        guard try head.value("key_count", as: Int64.self) == Int64(limit) else { return nil }
        return RunSnapshot.Place(keySequence: try head.value("last_key_seq"), key: try head.value("last_key"))
    }
}
