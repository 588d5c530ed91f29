import Events
import Ledger
import Logging
import PostgresClient

/// Tables of the log with repositories in them, twins of the log to COPY into, and owners of shards that commit batches.
struct AppendLab: Sendable {
    /// Rows a second of each way.
    struct Rates: Sendable {
        var commit: Double
        /// COPY into a table with the log's partitions and index.
        var copy: Double
        /// The same, with the rows in COPY's format beforehand.
        var encoded: Double
        /// COPY into a table without index and partitions.
        var heap: Double
    }

    private enum Way: CaseIterable { case heap, encoded, copy, commit }

    /// As many as a fleet has unless it is told otherwise; each connection takes its share of them in turns.
    static let shards = 32
    /// Connections of a process, as many as it has unless it is told otherwise.
    static let connections = 8

    private let pool: PostgresPool
    private let ledger: Ledger
    private let leases: [ShardLease]
    private let traffic: AppendTraffic

    // MARK: Tables

    static func make(url: String, repositories: Int, log: Logger) async throws -> AppendLab {
        let schema = "weir_bench"
        let worker = WorkerID("append-bench")
        var configuration = try PostgresConfiguration(url: url, applicationName: worker.description)
        configuration.searchPath = [schema]
        configuration.statementTimeout = .zero
        var options = PostgresPool.Options()
        options.connectionsMax = connections
        let pool = PostgresPool(configuration: configuration, options: options, logger: log)
        let ledger = Ledger(pool: pool, schema: schema)
        try await ledger.migrate(shards: ShardMap(count: shards)) { _ in }
        let ttl = Duration.seconds(3600)
        let upstream = UpstreamName(kind: .firehose, host: "relay.bench")
        guard let owned = try await ledger.acquireUpstream(upstream, worker: worker, ttl: ttl) else { throw Failure("the upstream has an owner") }
        let session = try await ledger.openSession(owned, from: Position(epoch: 0, seq: 0), gap: nil)
        let leases = try await ledger.acquireShards(Array(0..<shards), worker: worker, ttl: ttl)
        guard leases.count == shards else { throw Failure("only \(leases.count) shards were free") }
        try await pool.execute(
            """
            CREATE TABLE twin (LIKE run_events INCLUDING ALL) PARTITION BY RANGE (day);
            CREATE TABLE twin_today PARTITION OF twin FOR VALUES FROM ('2026-01-01') TO ('2026-01-02');
            CREATE TABLE twin_default PARTITION OF twin DEFAULT;
            CREATE TABLE heap (LIKE run_events INCLUDING STORAGE INCLUDING COMPRESSION)
            """)
        try await fill(pool, repositories)
        let traffic = AppendTraffic(upstream: upstream, session: session, repositories: repositories, shards: shards)
        return AppendLab(pool: pool, ledger: ledger, leases: leases.sorted { $0.shard < $1.shard }, traffic: traffic)
    }

    private static func fill(_ pool: PostgresPool, _ repositories: Int) async throws {
        var copy = BinaryCopyWriter(columnCount: 6)
        for number in 0..<repositories {
            let state = AppendTraffic.repository(number, rev: "3kzzzzzzzzzzz")
            copy.beginRow()
            copy.value(Int32(number % shards))
            copy.value(state.did)
            copy.value(state.rev)
            copy.bytea(state.data)
            copy.value(state.status.rawValue)
            copy.value(state.reason)
        }
        _ = try await pool.withConnection { [copy] connection in
            try await connection.copyIn("COPY repositories (shard, did, rev, data, status, reason) FROM STDIN (FORMAT binary)", copy)
        }
        try await pool.execute("VACUUM ANALYZE repositories")
        try await pool.execute("CHECKPOINT")
    }

    func end() async { await pool.close() }

    // MARK: Measurement

    /// - Parameters: `rows` of each way in a turn, over all connections; one warm turn comes before the first that counts.
    ///   `fresh`: each turn begins behind a checkpoint, so that most pages of repositories go to the write-ahead log as a whole.
    func measure(batchRows: Int, connections: Int, rows: Int, turns: Int, fresh: Bool = false) async throws -> Rates {
        var found: [Way: [Double]] = [:]
        let each = max(1, rows / batchRows / connections)
        for turn in 0...turns {
            for way in Way.allCases {
                let workers = jobs(way, connections: connections, each: each, rows: batchRows)
                if fresh { try await pool.execute("CHECKPOINT") }
                let clock = ContinuousClock()
                let begun = clock.now
                try await run(workers)
                let seconds = (clock.now - begun) / .seconds(1)
                if turn > 0 { found[way, default: []].append(Double(connections * each * batchRows) / seconds) }
            }
        }
        return Rates(commit: median(found[.commit]), copy: median(found[.copy]), encoded: median(found[.encoded]), heap: median(found[.heap]))
    }

    /// What a row adds to the write-ahead log, without the full images of pages that the first change after a checkpoint adds.
    func walBytes(batchRows: Int) async throws -> (commit: Int, copy: Int) {
        var bytes: [Way: Int] = [:]
        for way in [Way.copy, .commit] {
            let before: String = try await pool.query("SELECT pg_current_wal_insert_lsn()::text")[0].value(0)
            try await run(jobs(way, connections: 1, each: 8, rows: batchRows))
            let after = try await pool.query("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), $1::text::pg_lsn)::int8", [.text(before)])
            bytes[way] = Int(try after[0].value(0, as: Int64.self)) / (8 * batchRows)
        }
        return (bytes[.commit] ?? 0, bytes[.copy] ?? 0)
    }

    private enum Job: Sendable {
        case commit(ShardBatch)
        case copy(ShardBatch, table: String)
        case encoded(BinaryCopyWriter)
    }

    /// What each connection does, one after the other.
    private func jobs(_ way: Way, connections: Int, each: Int, rows: Int) -> [[Job]] {
        (0..<connections).map { connection in
            (0..<each).map { turn in
                let batch = traffic.batch(leases[(connection + turn * connections) % leases.count], rows: rows)
                return switch way {
                case .commit: .commit(batch)
                case .copy: .copy(batch, table: "twin")
                case .heap: .copy(batch, table: "heap")
                case .encoded: .encoded(encoded(batch))
                }
            }
        }
    }

    private func median(_ values: [Double]?) -> Double {
        let sorted = (values ?? []).sorted()
        return sorted.isEmpty ? 0 : sorted[sorted.count / 2]
    }

    private func run(_ workers: [[Job]]) async throws {
        try await withThrowingTaskGroup { group in
            for jobs in workers {
                group.addTask {
                    for job in jobs {
                        switch job {
                        case .commit(let batch): _ = try await ledger.commit(batch)
                        case .copy(let batch, let table): try await copy(encoded(batch), into: table)
                        case .encoded(let rows): try await copy(rows, into: "twin")
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    /// In a transaction of their own.
    private func copy(_ rows: BinaryCopyWriter, into table: String) async throws {
        try await pool.transaction { connection in
            let copied = try await connection.copyIn(
                "COPY \(table) (run, seq, day, kind, did, rev, collection, rkey, action, cid, live, host, time, mark, logged_at, body) "
                    + "FROM STDIN (FORMAT binary)", rows)
            guard copied == rows.rowCount else { throw Failure("\(copied) rows of \(rows.rowCount) were copied") }
        }
    }

    /// The rows of the batch as the log would have them.
    private func encoded(_ batch: ShardBatch) -> BinaryCopyWriter {
        let first = traffic.seqs(batch.events.count)
        var copy = BinaryCopyWriter(columnCount: 16)
        for (index, event) in batch.events.enumerated() {
            copy.beginRow()
            copy.value(Int32(batch.lease.shard))
            copy.value(first + Int64(index))
            copy.value(PostgresDate(daysSince1970: 20_454))
            copy.value(event.kind.rawValue)
            copy.value(event.did)
            copy.value(event.rev)
            copy.value(event.collection)
            copy.value(event.rkey)
            copy.value(event.action?.rawValue ?? "")
            copy.value(event.cid)
            copy.value(event.live)
            copy.value(event.host)
            copy.value(event.time)
            copy.value(event.mark)
            copy.value(PostgresTimestamp(microsecondsSince1970: event.loggedAt.microseconds))
            copy.bytea(event.body)
        }
        return copy
    }
}
