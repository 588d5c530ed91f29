import Events
import Flow
import Ledger
import PostgresClient
import TestSupport
import Testing

@testable import Outbox

@Suite(.timeLimit(.minutes(10))) struct RetentionTests {
    /// A log over three days, of which two are past: `old/1` ended on the first, `live/1` has events on each, the sink `slow` stands at its beginning.
    private struct Lab {
        let stores: RealStores
        let pool: PostgresPool
        let today: Int
        let old = RunID("old/1")
        let live = RunID("live/1")

        static func run(_ body: (Lab) async throws -> Void) async throws {
            try await RealStores.with { stores in
                let pool = try await SharedServers.pool(schema: stores.ledger.schema, name: "retention")
                let today = Int(
                    try await pool.query("SELECT (clock_timestamp() AT TIME ZONE 'UTC')::date - '1970-01-01'::date AS d")[0].value(0, as: Int32.self))
                let lab = Lab(stores: stores, pool: pool, today: today)
                try await lab.prepare()
                try await body(lab)
                await pool.close()
            }
        }

        private func prepare() async throws {
            let ledger = stores.ledger
            let (old, live) = (try #require(self.old), try #require(self.live))
            _ = try await ledger.createRun(old, kind: "application", sinks: ["outlet"])
            _ = try await ledger.createRun(live, kind: "application", sinks: ["outlet", "slow"])
            for age in [2, 1, 0] {
                _ = try await ledger.append((0..<4).map { LogEvent(run: live, seq: 0, kind: .record, did: "did:plc:\($0)", body: [0x31]) }, run: live)
                if age == 2 {
                    _ = try await ledger.append([LogEvent(run: old, seq: 0, kind: .record, did: "did:plc:a", body: [0x31])], run: old)
                    _ = try await ledger.endRun(old, state: .finished)
                }
                // As if these had been written on that day.
                try await shift(by: age)
            }
            try await pool.execute("UPDATE run_outbox SET next_seq = tail_seq + 1 WHERE sink = 'outlet'")
        }

        private func shift(by age: Int) async throws {
            guard age > 0 else { return }
            let name = try await pool.query("SELECT 'run_events_' || to_char((clock_timestamp() AT TIME ZONE 'UTC')::date - \(age), 'YYYYMMDD')")[0]
                .value(0, as: String.self)
            try await pool.execute(
                """
                CREATE TABLE \(name) (LIKE run_events INCLUDING ALL);
                WITH moved AS (DELETE FROM run_events WHERE day = (clock_timestamp() AT TIME ZONE 'UTC')::date RETURNING *)
                INSERT INTO \(name) SELECT * FROM moved;
                UPDATE \(name) SET day = day - \(age);
                UPDATE run_days SET day = day - \(age) WHERE day = (clock_timestamp() AT TIME ZONE 'UTC')::date;
                UPDATE runs SET last_day = last_day - \(age) WHERE last_day = (clock_timestamp() AT TIME ZONE 'UTC')::date;
                """)
            let from = "((clock_timestamp() AT TIME ZONE 'UTC')::date - \(age))"
            try await pool.execute(
                """
                DO $$ BEGIN EXECUTE format('ALTER TABLE run_events ATTACH PARTITION \(name) FOR VALUES FROM (%L) TO (%L)', \(from), \(from) + 1); END $$
                """)
        }

        func service(keep: Int, most: Int = 0, worker: String = "a") -> RetentionService {
            var configuration = RetentionConfiguration()
            configuration.keepDays = keep
            configuration.keepDaysMax = most
            let today = today
            return RetentionService(
                configuration: configuration, ledger: stores.ledger, worker: WorkerID(worker), logger: SharedServers.quietLogger, today: { today })
        }

        func seqs(_ run: RunID?, after: Int64 = 0) async throws -> [Int64] {
            try await stores.ledger.events(run: #require(run), after: after, limit: 100, maxBytes: 1 << 20).map(\.seq)
        }

        func number(_ sql: String) async throws -> Int64 { try await pool.query(sql)[0].value(0) }
    }

    @Test("a day goes once every sink is past it; terminal events stay, and a reader finds what is left however far it is")
    func drops() async throws {
        try await Lab.run { lab in
            #expect(try await lab.service(keep: 0).once() == [])
            #expect(try await lab.service(keep: 3).once() == [])
            // The slow sink needs both.
            #expect(try await lab.service(keep: 1).once() == [])
            #expect(try await lab.seqs(lab.live) == Array(1...12))
            try await lab.pool.execute("UPDATE run_outbox SET next_seq = 5 WHERE sink = 'slow'")
            #expect(try await lab.service(keep: 0).once() == [])
            #expect(try await lab.service(keep: 1).once()?.count == 1)
            #expect(try await lab.seqs(lab.live) == Array(5...12))
            #expect(try await lab.seqs(lab.old) == [2])
            #expect(try await lab.seqs(lab.old, after: 1) == [2])
            #expect(try await lab.seqs(lab.old, after: 2) == [])
            #expect(try await lab.service(keep: 1).once() == [])
            #expect(try await lab.number("SELECT count(*) FROM outbox_gaps") == 0)
        }
    }

    @Test("at the last bound a day goes though a sink still needs it: it is moved behind it and told of the gap, and whoever had it can mark nothing")
    func bound() async throws {
        try await Lab.run { lab in
            let live = try #require(lab.live)
            let claims = try await lab.stores.ledger.claimOutbox(sink: "slow", publisher: WorkerID("p"), ttl: .seconds(600), limit: 10)
            let claim = try #require(claims.first)
            #expect(claim.nextSeq == 1)
            #expect(try await lab.service(keep: 1, most: 1).once()?.count == 1)
            #expect(try await lab.stores.ledger.run(live)?.nextSeq["slow"] == 5)
            #expect(try await lab.number("SELECT from_seq * 100 + to_seq FROM outbox_gaps") == 104)
            #expect(try await lab.stores.ledger.markPublished([(claim, 9)]).isEmpty)
            #expect(
                try await lab.stores.ledger.claimOutbox(sink: "slow", publisher: WorkerID("p"), ttl: .seconds(1), limit: 10).map(\.nextSeq) == [5])
        }
    }

    @Test("Postgres takes no day out concurrently while there is a default partition: why it is done under a lock")
    func notConcurrently() async throws {
        try await Lab.run { lab in
            let day = try #require(try await lab.stores.ledger.logDays(before: lab.today).first)
            await #expect {
                try await lab.pool.execute("ALTER TABLE run_events DETACH PARTITION \(day.partition) CONCURRENTLY")
            } throws: { "\($0)".contains("default partition") }
        }
    }

    @Test("days ahead have their partitions; one process does it, and a lock that is not to be had is not waited for")
    func lease() async throws {
        try await Lab.run { lab in
            try await lab.pool.execute("UPDATE run_outbox SET next_seq = tail_seq + 1")
            #expect(try await lab.stores.ledger.takeDuty(RetentionService.duty, owner: WorkerID("other"), ttl: .seconds(600)) != nil)
            #expect(try await lab.service(keep: 1).once() == nil)
            try await lab.pool.execute("UPDATE duties SET expires_at = '-infinity'")
            // A reader in a transaction keeps the partitions.
            try await lab.pool.transaction { connection in
                _ = try await connection.query("SELECT count(*) FROM run_events")
                #expect(try await lab.service(keep: 1).once() == [])
            }
            let partitions = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'run_events'::regclass"
            #expect(try await lab.number(partitions) == 7)
            #expect(try await lab.service(keep: 1, worker: "b").once()?.count == 1)
            // Today and seven days ahead, yesterday, and the default one.
            #expect(try await lab.number(partitions) == 10)
        }
    }

    @Test("a client that reads on while its days are dropped sees each seq once, or the gap")
    func duringCatchUp() async throws {
        try await Lab.run { lab in
            let live = try #require(lab.live)
            try await lab.pool.execute("UPDATE run_outbox SET next_seq = tail_seq + 1")
            var (cursor, seen): (Int64, [Int64]) = (0, [])
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    let gone = try await lab.service(keep: 1).once()
                    #expect(gone?.count == 1)
                }
                while cursor < 12 {
                    let events = try await lab.stores.ledger.events(run: live, after: cursor, limit: 1, maxBytes: 1)
                    let seq = try #require(events.first?.seq)
                    #expect(seq == cursor + 1 || seq == 5 && cursor < 5)
                    seen.append(seq)
                    cursor = seq
                }
                try await group.waitForAll()
            }
            #expect(seen.suffix(8) == Array(5...12)[...])
        }
    }
}
