import Events
import Ledger
import PostgresClient

/// A sink that keeps the latest state of each key in a table, from the log, against a bare COPY and merge of the same rows.
///
/// Both into the same Postgres, in turns, the same rows in batches of the same size over as many connections. The bare way has the rows in memory, copies them into a
/// temporary table, and merges it, one transaction a batch; it keeps no cursor and reads no log. Medians over the turns.
enum TableSinkBench: BenchPart {
    static let name = "table-sink"

    private static let batch = 500
    private static let connections = 4

    static func rows(_ context: BenchContext) async throws -> [BenchRow] {
        let (runs, events, turns) = context.isFull ? (8, 25_000, 7) : (8, 6_000, 3)
        return try await SinkLab.run(context) { lab in
            try await lab.append(runs: runs, events: events, keys: 2000)
            var found: [String: (sink: [Double], bare: [Double])] = [:]
            for turn in 0...turns {
                for mode in ["upsert", "append"] {
                    context.progress.show("table-sink", turn, turns + 1, note: mode)
                    try await lab.pool.execute("DROP TABLE IF EXISTS public.sink_bench, public.weir_sink_cursors")
                    let sink = try await lab.deliver(
                        "bench-\(mode)", ["kind": "postgres", "table": "public.sink_bench", "mode": mode, "concurrency": "\(connections)"])
                    let bare = try await BareMerge(lab: lab, mode: mode, batch: batch, connections: connections).seconds(runs: runs)
                    if turn == 0 { continue }
                    let all = Double(runs * events)
                    found[mode, default: ([], [])].sink.append(all / sink)
                    found[mode, default: ([], [])].bare.append(all / bare)
                }
            }
            context.progress.finish()
            return ["upsert", "append"].map { mode in
                let rates = found[mode] ?? ([], [])
                return BenchRow(
                    name: "Postgres sink, \(mode)", figure: median(rates.sink), unit: "events/s", ceiling: median(rates.bare),
                    ceilingName: mode == "upsert" ? "bare COPY + merge" : "bare COPY", bar: .ratio(atLeast: mode == "upsert" ? 0.5 : 0.3),
                    note: "\(batch) events a batch, \(connections) connections, \(runs) runs; exactly once, with the reading of the log")
            }
        }
    }

    private static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        return sorted.isEmpty ? 0 : sorted[sorted.count / 2]
    }
}

/// The same rows without a log, a cursor or a lease.
struct BareMerge: Sendable {
    let lab: SinkLab
    let mode: String
    let batch: Int
    let connections: Int

    private static let columns = "run, did, collection, rkey, seq, rev, cid, live, logged_at, body"

    func seconds(runs: Int) async throws -> Double {
        try await lab.pool.execute(
            """
            DROP TABLE IF EXISTS public.bare;
            CREATE TABLE public.bare (run text COLLATE "C" NOT NULL, did text COLLATE "C" NOT NULL, collection text COLLATE "C" NOT NULL,
                rkey text COLLATE "C" NOT NULL, seq bigint NOT NULL, rev text NOT NULL, cid text NOT NULL, live boolean NOT NULL,
                logged_at timestamptz NOT NULL, body json, PRIMARY KEY (\(mode == "upsert" ? "run, did, collection, rkey" : "run, seq")))
            """)
        var logs: [(RunID, [LogEvent])] = []
        for number in 0..<runs {
            guard let run = RunID("bench/\(number)") else { continue }
            logs.append((run, try await lab.ledger.events(run: run, after: 0, limit: 1_000_000, maxBytes: .max)))
        }
        let shares = (0..<connections).map { share in logs.indices.filter { $0 % connections == share }.map { logs[$0] } }
        let clock = ContinuousClock()
        let begun = clock.now
        try await withThrowingTaskGroup { group in
            for share in shares {
                group.addTask {
                    for (run, events) in share {
                        for start in stride(from: 0, to: events.count, by: batch) {
                            try await write(Array(events[start..<min(events.count, start + batch)]), run)
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        return (clock.now - begun) / .seconds(1)
    }

    private func write(_ events: [LogEvent], _ run: RunID) async throws {
        try await lab.pool.transaction { connection in
            guard mode == "upsert" else {
                return _ = try await connection.copyIn("COPY public.bare (\(Self.columns)) FROM STDIN (FORMAT binary)", rows(events, run))
            }
            try await connection.execute("CREATE TEMP TABLE IF NOT EXISTS stage (LIKE public.bare) ON COMMIT DELETE ROWS")
            _ = try await connection.copyIn("COPY stage (\(Self.columns)) FROM STDIN (FORMAT binary)", rows(events, run))
            let latest = "SELECT DISTINCT ON (run, did, collection, rkey) * FROM stage ORDER BY run, did, collection, rkey, seq DESC"
            try await connection.execute(
                """
                INSERT INTO public.bare AS t (\(Self.columns)) SELECT \(Self.columns) FROM (\(latest)) l WHERE body IS NOT NULL
                ON CONFLICT (run, did, collection, rkey) DO UPDATE SET seq = excluded.seq, rev = excluded.rev, cid = excluded.cid,
                    live = excluded.live, logged_at = excluded.logged_at, body = excluded.body;
                DELETE FROM public.bare t USING (\(latest)) l WHERE l.body IS NULL AND (t.run, t.did, t.collection, t.rkey)
                    = (l.run, l.did, l.collection, l.rkey)
                """)
        }
    }

    private func rows(_ events: [LogEvent], _ run: RunID) -> BinaryCopyWriter {
        var copy = BinaryCopyWriter(columnCount: 10)
        for event in events {
            copy.beginRow()
            copy.value(run.description)
            copy.value(event.did)
            copy.value(event.collection)
            copy.value(event.rkey)
            copy.value(event.seq)
            copy.value(event.rev)
            copy.value(event.cid)
            copy.value(event.live)
            copy.value(PostgresTimestamp(microsecondsSince1970: event.loggedAt.microseconds))
            copy.bytea(event.body.isEmpty ? nil : event.body)
        }
        return copy
    }
}
