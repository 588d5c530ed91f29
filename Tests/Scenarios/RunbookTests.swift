import Foundation
import PostgresClient
import RedisClient
import TestSupport
import Testing

/// Every command of every runbook, run as it stands against a fleet that works, and the doctor's answers before and behind a fault.
@Suite(.timeLimit(.minutes(10))) struct RunbookTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("ops/runbooks")

    /// The blocks that are marked as shell, in order.
    private static func blocks(_ text: String) -> [String] {
        text.components(separatedBy: "```sh\n").dropFirst().compactMap { $0.components(separatedBy: "\n```").first }
    }

    @Test("every page has commands, is named by the index, and stands where the doctor says")
    func pages() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path).filter { $0 != "README.md" }.sorted()
        #expect(
            names == [
                "failing-sink.md", "flapping-clients.md", "full-redis.md", "lost-shard.md", "lost-slot.md", "outbox-lag.md", "rebuild-a-stream.md",
                "stuck-run.md",
            ])
        let index = try String(contentsOf: Self.folder.appendingPathComponent("README.md"), encoding: .utf8)
        for name in names {
            #expect(index.contains("](\(name))"))
            let page = try String(contentsOf: Self.folder.appendingPathComponent(name), encoding: .utf8)
            #expect(!Self.blocks(page).isEmpty)
            // A command outside of a block would not be run.
            #expect(!page.components(separatedBy: "\n").contains { $0.hasPrefix("    ") && $0.contains("weir ") })
        }
        let sources = Self.folder.deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Sources/Fleet/Doctor")
        for source in ["DoctorChecks.swift", "DoctorChecks+Runs.swift", "DoctorChecks+Sinks.swift"] {
            let text = try String(contentsOf: sources.appendingPathComponent(source), encoding: .utf8)
            for page in text.components(separatedBy: "ops/runbooks/").dropFirst().map({ $0.prefix { $0.isLetter || $0 == "-" } + ".md" }) {
                #expect(names.contains(String(page)), "\(page)")
            }
        }
    }

    @Test("every command of every runbook runs, on a fleet with a run, a subscription, a shard and a sink that laid events aside")
    func commands() async throws {
        try await FleetUnderTest.run(seed: 11, shards: 4, accounts: 4) { fleet in
            try await Self.prepare(fleet)
            try await Self.prepareSink(fleet)
            try await Self.makeSlot(fleet, "forgotten")
            for name in try FileManager.default.contentsOfDirectory(atPath: Self.folder.path).sorted() where name != "README.md" {
                let page = try String(contentsOf: Self.folder.appendingPathComponent(name), encoding: .utf8)
                for block in Self.blocks(page) {
                    let output = try await Self.shell(block, fleet)
                    fleet.journal.note("\(name): \(output.count) characters")
                }
            }
            #expect(try await FleetUnderTest.number(fleet.pool, "SELECT count(*) FROM pg_replication_slots") == 0)
            // The last resort of the last page: recorded, and told.
            let run = try await fleet.get("/runs/jobs/7").body
            #expect(run.contains(#""state":"cancelled""#) && run.contains("its application is gone"), "\(run)")
            #expect(try await fleet.get("/runs/jobs/7/events?fromSeq=5").body.contains(#""kind":"terminal""#))
        }
    }

    @Test("the doctor finds a halted outbox, a hole and a foreign outlet, each gone once it is mended as its page says")
    func doctor() async throws {
        try await FleetUnderTest.run(seed: 12, shards: 4, accounts: 4) { fleet in
            try await Self.prepare(fleet)
            #expect(try await Self.codes(fleet, "weir doctor --json jobs/7") == ["redis_unbounded", "redis_not_durable"])
            _ = try await Self.shell(#"redis-cli -u "$WEIR_REDIS_URL" CONFIG SET maxmemory 512mb"#, fleet)
            #expect(try await Self.shell("weir doctor jobs/7; echo code $?", fleet).hasSuffix("nothing has to be mended\ncode 0"))

            try await fleet.pool.execute(
                "UPDATE weir.run_outbox SET halted_reason = 'test', next_seq = 2 WHERE run = (SELECT no FROM weir.runs WHERE id = 'jobs/7')")
            #expect(try await Self.codes(fleet, "weir doctor --json") == ["outbox_halted", "redis_not_durable"])
            #expect(try await Self.shell("weir doctor >/dev/null || echo $?", fleet) == "1")
            #expect(try await Self.shell("weir release jobs/7", fleet) == "jobs/7, sink outlet: released; 4 events wait")
            try await fleet.waitUntil("the run is published again") { pool in
                try await FleetUnderTest.number(
                    pool, "SELECT next_seq FROM weir.run_outbox WHERE run = (SELECT no FROM weir.runs WHERE id = 'jobs/7')") == 6
            }
            #expect(try await Self.codes(fleet, "weir doctor --json jobs/7") == ["redis_not_durable"])

            _ = try await Self.shell(#"redis-cli -u "$WEIR_REDIS_URL" XADD "run:{$RUN}" 900-0 kind record"#, fleet)
            #expect(try await Self.codes(fleet, "weir doctor --json jobs/7") == ["outlet_foreign", "redis_not_durable"])
            _ = try await Self.shell(#"redis-cli -u "$WEIR_REDIS_URL" UNLINK "run:{$RUN}""#, fleet)
            try await fleet.pool.execute("DELETE FROM weir.run_events WHERE seq = 3 AND run = (SELECT no FROM weir.runs WHERE id = 'jobs/7')")
            #expect(try await Self.codes(fleet, "weir doctor --json jobs/7") == ["run_holes", "redis_not_durable"])
            let replayed = try await Self.shell("weir replay jobs/7 --sink stdout 2>&1 | tail -n 1", fleet)
            #expect(replayed == "weir: the log of jobs/7 lacks 3 to 3: replay/1 ends in front of it; what is behind it: --from 4")
            #expect(
                try await Self.shell("weir replay jobs/7 --from 4 --sink file --output \"$OUT\" >/dev/null 2>&1 && wc -l <\"$OUT\"", fleet) == "2")
            #expect(try await Self.shell(#"WEIR_POSTGRES_URL=postgres://127.0.0.1:1/x weir doctor >/dev/null || echo $?"#, fleet) == "3")
            #expect(try await Self.shell("weir doctor 'no run' 2>/dev/null || echo $?", fleet) == "2")
            #expect(try await Self.codes(fleet, "weir doctor --json nothing/1") == ["run_not_found", "redis_not_durable"])
        }
    }

    @Test("the doctor finds a slot from which Postgres took log, and no more when it is dropped as its page says")
    func slot() async throws {
        try await FleetUnderTest.run(seed: 13, shards: 4, accounts: 4) { fleet in
            try await Self.prepare(fleet)
            try await Self.makeSlot(fleet, "forgotten")
            #expect(try await Self.codes(fleet, "weir doctor --json").contains { $0.hasPrefix("slot") } == false)
            try await fleet.pool.execute("ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'")
            try await fleet.pool.execute("SELECT pg_reload_conf()")
            // Three segments of the log are more than it may keep; a checkpoint removes what nobody may have any more.
            for _ in 0..<3 { try await fleet.pool.execute("SELECT pg_logical_emit_message(false, 'test', 'x'), pg_switch_wal()") }
            try await fleet.pool.execute("CHECKPOINT")
            #expect(try await FleetUnderTest.number(fleet.pool, "SELECT count(*) FROM pg_replication_slots WHERE wal_status = 'lost'") == 1)
            #expect(try await Self.codes(fleet, "weir doctor --json").contains("slot_losing_log"))
            let page = try String(contentsOf: Self.folder.appendingPathComponent("lost-slot.md"), encoding: .utf8)
            for block in Self.blocks(page) { _ = try await Self.shell(block, fleet) }
            #expect(try await Self.codes(fleet, "weir doctor --json").contains { $0.hasPrefix("slot") } == false)
        }
    }

    private static func makeSlot(_ fleet: FleetUnderTest, _ name: String) async throws {
        try await fleet.pool.execute("SELECT pg_create_logical_replication_slot('\(name)', 'pgoutput')")
    }

    /// An API and a worker, and a run with five events, whose outlet is there.
    private static func prepare(_ fleet: FleetUnderTest) async throws {
        _ = try await fleet.start("api", "api")
        _ = try await fleet.start("worker", "worker")
        _ = try await fleet.start("ingest", "ingest", "firehose")
        try await fleet.pool.execute(
            """
            INSERT INTO weir.runs (id, kind, last_seq, last_event_at, last_day) VALUES ('jobs/7', 'job', 5, now(), (now() AT TIME ZONE 'UTC')::date);
            INSERT INTO weir.run_days SELECT no, last_day, 1 FROM weir.runs WHERE id = 'jobs/7';
            INSERT INTO weir.run_events
            SELECT no, i, last_day, 'progress', '', '', '', '', '', '', true, '', '', '', now(), '{}' FROM weir.runs, generate_series(1, 5) i WHERE id = 'jobs/7';
            INSERT INTO weir.run_outbox (run, sink, tail_seq) SELECT no, 'outlet', 5 FROM weir.runs WHERE id = 'jobs/7';
            INSERT INTO weir.subscriptions (topic, name, positions) VALUES ('run:jobs/7', 'mailer', '{3}');
            INSERT INTO weir.flapping_clients VALUES ('10.0.0.1', 'jobs/7', 3, now());
            """)
        try await fleet.waitUntil("shards have owners, and the run is published") { pool in
            let owned = try await FleetUnderTest.number(pool, "SELECT count(*) FROM weir.shards WHERE owner IS NOT NULL")
            let streaming = try await FleetUnderTest.number(pool, "SELECT count(*) FROM weir.upstream_reports WHERE state = 'streaming'")
            let committed = try await FleetUnderTest.number(pool, "SELECT count(*) FROM weir.shard_positions WHERE committed_at IS NOT NULL")
            let published = try await FleetUnderTest.number(
                pool, "SELECT next_seq FROM weir.run_outbox o JOIN weir.runs r ON r.no = o.run WHERE r.id = 'jobs/7'")
            return owned == 4 && streaming == 2 && committed == 4 && published == 6
        }
        _ = try await shell(#"for i in $(seq 200); do curl -fsS "$API/health" >/dev/null 2>&1 && exit 0; sleep 0.1; done; exit 1"#, fleet)
    }

    /// A sink with two events of the run laid aside.
    private static func prepareSink(_ fleet: FleetUnderTest) async throws {
        try await fleet.addSink(#"{"name":"copy","kind":"redis","stream":"sink:copy"}"#)
        try await fleet.pool.execute(
            """
            INSERT INTO weir.dead_letters (id, queue, key, run, seq, error, attempts, payload) OVERRIDING SYSTEM VALUE
            VALUES (101, 'sink', 'copy', 'jobs/7', 2, 'HTTP 400', 5, '{}'), (102, 'sink', 'copy', 'jobs/7', 3, 'HTTP 400', 5, '{}');
            """)
    }

    private static func codes(_ fleet: FleetUnderTest, _ command: String) async throws -> [String] {
        let output = try await shell("\(command) | jq -r '.findings[].code' || true", fleet)
        return output.split(separator: "\n").map(String.init)
    }

    /// Runs a block as a person would paste it; throws what it wrote where a command fails.
    private static func shell(_ block: String, _ fleet: FleetUnderTest) async throws -> String {
        let programs = URL(fileURLWithPath: WeirProcess.program).deletingLastPathComponent().path
        let variables = fleet.environment.filter { ["WEIR_REDIS_URL", "WEIR_POSTGRES_URL", "WEIR_API_BIND"].contains($0.key) }.merging([
            "API": "http://127.0.0.1:\(fleet.apiPort)", "RUN": "jobs/7", "SHARD": "1", "SUBSCRIPTION": "mailer", "SINK": "copy", "LETTER": "101",
            "SLOT": "forgotten",
            "WEIR_LOG_LEVEL": "error",
            "OUT": FileManager.default.temporaryDirectory.appendingPathComponent("weir-runbook-\(fleet.apiPort).ndjson").path,
        ]) { $1 }
        let script = "export PATH=\"\(programs):$PATH\"\nset -eu\n" + block
        let settings = variables.map { "\($0.key)=\($0.value)" }
        return try await ChildProcess.run(["/usr/bin/env"] + settings + ["bash", "-c", script]).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
