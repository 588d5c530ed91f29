import PostgresClient

/// What the log holds, read by SQL alone.
struct ActualLog: Sendable {
    var events: [String: [LoggedEvent]] = [:]
    /// Places where a run's seq is not one more than the one before.
    var breaks: [String] = []
    var count: Int { events.values.reduce(0) { $0 + $1.count } }

    init(_ pool: PostgresPool) async throws {
        let rows = try await pool.query(
            """
            SELECT r.id, e.seq, e.kind, e.did, e.rev, e.action, e.collection, e.rkey, e.cid, e.time
            FROM weir.run_events e JOIN weir.runs r ON r.no = e.run WHERE r.kind = 'firehose' ORDER BY r.id, e.seq
            """)
        var run = ""
        var last: Int64 = 0
        for row in rows {
            let id = try row.value(0, as: String.self)
            let seq = try row.value(1, as: Int64.self)
            if id != run { (run, last) = (id, 0) }
            if seq != last + 1 { breaks.append("\(run): \(seq) after \(last)") }
            last = seq
            try take(row)
        }
    }

    private mutating func take(_ row: PostgresRow) throws {
        let kind = try row.value(2, as: String.self)
        let did = try row.value(3, as: String.self)
        switch kind {
        case "record":
            let path = "\(try row.value(6, as: String.self))/\(try row.value(7, as: String.self))"
            events[did, default: []].append(
                LoggedEvent(
                    kind: kind, rev: try row.value(4), action: try row.value(5), path: path, cid: try row.value(8)))
        case "identity", "account": events[did, default: []].append(LoggedEvent(kind: kind, time: try row.value(9)))
        default: break
        }
    }
}
