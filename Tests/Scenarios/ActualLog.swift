import PostgresClient

/// What came out: read from the log by SQL alone, or received by a client.
struct ActualLog: Sendable {
    var events: [String: [LoggedEvent]] = [:]
    /// Places where a run's seq is not one more than the one before.
    var breaks: [String] = []
    /// Events taken so far, those that were given up since among them.
    private(set) var count = 0
    private var last: [String: Int64] = [:]

    init() {}

    init(_ pool: PostgresPool) async throws { try await read(pool) }

    /// Takes what the log has beyond what was read before.
    mutating func read(_ pool: PostgresPool) async throws {
        let known = last.map { "('\($0.key)', \($0.value)::bigint)" }.joined(separator: ", ")
        let rows = try await pool.query(
            """
            SELECT r.id, e.seq, e.kind, e.did, e.rev, e.action, e.collection, e.rkey, e.cid, e.time
            FROM weir.runs r LEFT JOIN (VALUES \(known.isEmpty ? "('', 0::bigint)" : known)) AS k (id, seq) ON k.id = r.id
            JOIN weir.run_events e ON e.run = r.no AND e.seq > coalesce(k.seq, 0) WHERE r.kind = 'firehose' ORDER BY r.id, e.seq
            """)
        for row in rows {
            let event = LoggedEvent(
                kind: try row.value(2), rev: try row.value(4), action: try row.value(5),
                path: "\(try row.value(6, as: String.self))/\(try row.value(7, as: String.self))", cid: try row.value(8), time: try row.value(9))
            take(run: try row.value(0), seq: try row.value(1), did: try row.value(3), event)
        }
        let counted = try await pool.query("SELECT id, last_seq FROM weir.runs WHERE kind = 'firehose'")
        for row in counted {
            let (run, tail): (String, Int64) = (try row.value(0), try row.value(1))
            if last[run, default: 0] != tail { breaks.append("\(run): the run says \(tail), its last event is \(last[run, default: 0])") }
        }
    }

    /// Gives up the events, all compared by now, and keeps how far each run came.
    mutating func forgetEvents() {
        events.removeAll()
        breaks.removeAll()
    }

    /// Takes an event in the JSON of the API.
    mutating func take(_ object: [String: Any]) {
        func text(_ name: String) -> String { object[name] as? String ?? "" }
        let event = LoggedEvent(
            kind: text("kind"), rev: text("rev"), action: text("action"), path: "\(text("collection"))/\(text("rkey"))", cid: text("cid"),
            time: text("time"))
        take(run: text("run"), seq: (object["seq"] as? Int).map(Int64.init) ?? 0, did: text("did"), event)
    }

    private mutating func take(run: String, seq: Int64, did: String, _ event: LoggedEvent) {
        if seq != last[run, default: 0] + 1 { breaks.append("\(run): \(seq) after \(last[run, default: 0])") }
        last[run] = seq
        var event = event
        switch event.kind {
        // A commit's time is the relay's, and differs from relay to relay.
        case "record": event.time = ""
        case "identity", "account": event = LoggedEvent(kind: event.kind, time: event.time)
        default: return
        }
        events[did, default: []].append(event)
        count += 1
    }
}
