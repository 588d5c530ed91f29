import Events
import PostgresClient
import Synchronization
import TestSupport
import Testing

@testable import Ledger

@Suite(.timeLimit(.minutes(10))) struct SchemaTests {
    @Test func `a second migration changes nothing, and the number of shards stays`() async throws {
        let test = try await TestLedger.make(shards: 4)
        let steps = Mutex<[Bool]>([])
        try await test.ledger.migrate(shards: ShardMap(count: 4)) { step in steps.withLock { $0.append(step.applied) } }
        #expect(steps.withLock { $0 } == Migration.all.map { _ in false })
        #expect(try await test.ledger.shardCount() == ShardMap(count: 4))
        let error = await failure { try await test.ledger.migrate(shards: ShardMap(count: 8)) { _ in } }
        #expect(error?.code == .other)
        #expect(error?.message.contains("4") == true && error?.message.contains("8") == true)
        #expect(try await test.number("SELECT count(*) FROM shards") == 4)
        try await test.end()
    }

    @Test func `a database of an older build gets what came later, for the shards that it has`() async throws {
        let test = try await TestLedger.make(shards: 4)
        let later = [
            "backfill_jobs", "dead_letters", "parked_hosts", "backfill_sources", "backfill_progress", "repo_scope", "repo_requests",
            "backfill_positions", "snapshots", "records",
        ]
        for table in later { try await test.pool.execute("DROP TABLE \(table) CASCADE") }
        try await test.pool.execute(
            "DROP SEQUENCE backfill_attempts; DROP FUNCTION make_backfill_shards, delivered_records; DELETE FROM migrations WHERE name = 'm002_backfill'"
        )
        try await test.ledger.migrate(shards: ShardMap(count: 4)) { _ in }
        #expect(try await test.number("SELECT count(*) FROM backfill_positions") == 4)
        #expect(try await test.number("SELECT count(*) FROM pg_inherits WHERE inhparent = 'records'::regclass") == 4)
        try await test.end()
    }

    @Test func `bodies of events are compressed by LZ4, in partitions that were there and in those that come, and read back whole`() async throws {
        let test = try await TestLedger.make()
        try await test.ledger.makePartitions(daysAhead: 12)
        let partitions = try await test.number("SELECT count(*) FROM pg_partition_tree('run_events')")
        #expect(
            try await test.number(
                """
                SELECT count(*) FROM pg_attribute a JOIN pg_partition_tree('run_events') p ON p.relid = a.attrelid
                WHERE a.attname = 'body' AND a.attcompression = 'l'
                """) == partitions)
        let run = try #require(RunID("compressed/1"))
        _ = try await test.ledger.createRun(run, kind: "test", sinks: [])
        let body = Array((#"{"text":""# + String(repeating: "Grüße ", count: 5_000) + #""}"#).utf8)
        _ = try await test.ledger.append([LogEvent(run: run, seq: 0, kind: .record, did: "did:plc:a", body: body)], run: run)
        let method: String = try await test.pool.query("SELECT pg_column_compression(body) FROM run_events")[0].value(0)
        #expect(method == "lz4")
        #expect(try await test.ledger.events(run: run, after: 0, limit: 10, maxBytes: 1 << 20).map(\.body) == [body])
        try await test.end()
    }

    @Test func `several processes migrate at once`() async throws {
        let schema = RandomName.schema()
        let applied = Counter()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<4 {
                group.addTask {
                    let ledger = try await TestLedger.ledger(schema, WorkerID("\(schema)-\(number)"))
                    try await ledger.migrate(shards: ShardMap(count: 3)) { step in if step.applied { applied.increment() } }
                    #expect(try await ledger.shardCount() == ShardMap(count: 3))
                    await ledger.pool.close()
                }
            }
            try await group.waitForAll()
        }
        #expect(applied.value == Migration.all.count)
        let pool = try await TestLedger.pool(schema, WorkerID(schema))
        try await pool.execute("DROP SCHEMA \(schema) CASCADE")
        await pool.close()
    }

    @Test func `a schema that is missing, or of another build, is not used`() async throws {
        let schema = RandomName.schema()
        let ledger = try await TestLedger.ledger(schema, WorkerID(schema))
        #expect(await failure { _ = try await ledger.shardCount() }?.code == .notMigrated)
        await ledger.pool.close()

        let test = try await TestLedger.make()
        try await test.pool.execute("UPDATE migrations SET checksum = 'another'")
        #expect(await failure { try await test.ledger.migrate(shards: ShardMap(count: 4)) { _ in } }?.code == .notMigrated)
        try await test.pool.execute("INSERT INTO migrations (name, checksum) VALUES ('m999_future', '')")
        #expect(await failure { _ = try await test.ledger.shardCount() }?.code == .notMigrated)
        try await test.end()
    }

    @Test func `partitions are made ahead, once, and spare days whose rows stand in the default one`() async throws {
        let test = try await TestLedger.make()
        let partitions = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'run_events'::regclass"
        #expect(try await test.number(partitions) == 5)
        try await test.pool.execute(
            "INSERT INTO run_events SELECT 1, 1, (clock_timestamp() AT TIME ZONE 'UTC')::date + 5, 'record', '', '', '', '', '', '', true, '', '', '', now(), ''"
        )
        try await test.ledger.makePartitions(daysAhead: 7)
        try await test.ledger.makePartitions(daysAhead: 7)
        #expect(try await test.number(partitions) == 8)
        try await test.end()
    }

    @Test(arguments: [
        ("weir", true), ("_a1", true), ("1a", false), ("", false), ("a-b", false), ("A", false), (String(repeating: "a", count: 41), false),
    ])
    func `a schema's name needs no quotes`(name: String, isAllowed: Bool) {
        #expect(Ledger.isSchemaName(name) == isAllowed)
    }
}

private final class Counter: Sendable {
    private let count = Mutex(0)
    var value: Int { count.withLock { $0 } }
    func increment() { count.withLock { $0 += 1 } }
}
