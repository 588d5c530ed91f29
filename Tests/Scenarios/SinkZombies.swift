import Events
import Foundation
import NIOHTTP1
import PostgresClient
import Simulator
import TestSupport
import Testing

/// A webhook sink whose workers are stopped and killed. One event a call, so that each has a key of its own.
struct SinkZombies: Sendable {
    let crashes: CrashFleet
    let receiver: WebhookReceiver

    private var fleet: FleetUnderTest { crashes.fleet }

    func start() async throws {
        _ = try await crashes.start("api", .api)
        try await fleet.addSink(
            #"{"name":"hook","kind":"webhook","url":"\#(receiver.url)","start":"earliest","runs":{"kinds":["firehose"]},"batch":{"events":1},"#
                + #""timeout":"500ms","retry":{"cap":"500ms"}}"#)
        _ = try await crashes.start("ingester", .ingester)
        _ = try await crashes.start("worker", .worker)
        try await fleet.simulator.set(EventRate(eventsPerSecond: 40))
        try await fleet.waitUntil("the webhook is called") { _ in receiver.calls.count > 20 }
    }

    /// Stopped with runs of the sink in its hands; woken when another one has gone on with them.
    func stopAndWake(_ order: CrashOrder) async throws {
        try await fleet.step("a worker is stopped at \(order)") {
            let zombie = try await crashes.start("worker to stop at \(order)", .worker, order)
            try await zombie.line(order.proof)
            let held = try await cursors("o.owner LIKE '\(zombie.ownerPattern)'")
            #expect(!held.isEmpty, "it was stopped with no run of the sink")
            try await fleet.waitUntil("another worker has gone on with \(held)") { _ in
                let others = try await cursors("o.owner IS NULL OR o.owner NOT LIKE '\(zombie.ownerPattern)'")
                return held.allSatisfy { others[$0.key, default: 0] > $0.value }
            }
            #expect(zombie.isStopped, "\(zombie.name) was not stopped all the while")
            zombie.child.signal(SIGCONT)
            try await zombie.line("a cursor was set, or another worker took over: not marked")
            try await crashes.end(zombie)
        }
    }

    /// Next seqs of runs in the sink.
    private func cursors(_ condition: String) async throws -> [Int32: Int64] {
        let rows = try await fleet.pool.query("SELECT o.run, o.next_seq FROM weir.run_outbox o WHERE o.sink = 'hook' AND (\(condition))")
        var cursors: [Int32: Int64] = [:]
        for row in rows { cursors[try row.value(0)] = try row.value(1, as: Int64.self) }
        return cursors
    }

    /// Every process and Postgres are killed and started again. Of the sink only its row in Postgres is left, and what claims it then has said so.
    func restartEverything() async throws {
        try await fleet.step("everything is killed and started again") {
            try await crashes.killAll()
            await fleet.postgres.kill()
            try await fleet.postgres.start()
            try await fleet.waitUntil("claims are watched") { pool in
                _ = try await pool.execute(Self.claimWatch)
                return true
            }
            let before = receiver.calls.count
            for name in ["worker", "second worker"] { _ = try await crashes.start("\(name) after the restart", .worker) }
            _ = try await crashes.start("ingester after the restart", .ingester)
            _ = try await crashes.start("api after the restart", .api)
            try await fleet.waitUntil("the webhook is called again, by both workers") { pool in
                let workers = try await FleetUnderTest.number(pool, "SELECT count(DISTINCT worker) FROM public.sink_claims WHERE sink = 'hook'")
                return workers == 2 && receiver.calls.count > before + 40
            }
            let late = try await FleetUnderTest.number(fleet.pool, "SELECT count(*) FROM public.sink_claims WHERE NOT is_registered")
            let all = try await FleetUnderTest.number(fleet.pool, "SELECT count(*) FROM public.sink_claims")
            #expect(late == 0, "\(late) of \(all) claims came before the worker's registration")
            fleet.journal.note("\(all) claims, each behind its worker's registration")
        }
    }

    /// Notes at each claim of a sink's run whether its worker has registered for the sink.
    private static let claimWatch = """
        CREATE TABLE IF NOT EXISTS public.sink_claims (sink text, worker text, is_registered boolean);
        CREATE OR REPLACE FUNCTION public.note_claim() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO public.sink_claims
            SELECT NEW.sink, NEW.owner, EXISTS (SELECT FROM weir.sink_consumers c WHERE c.sink = NEW.sink AND c.worker = NEW.owner);
            RETURN NULL;
        END $$;
        CREATE OR REPLACE TRIGGER note_claim AFTER UPDATE OF owner ON weir.run_outbox FOR EACH ROW
        WHEN (NEW.sink <> 'outlet' AND NEW.owner IS NOT NULL AND NEW.owner IS DISTINCT FROM OLD.owner) EXECUTE FUNCTION public.note_claim();
        """

    /// The webhook was given the whole log in order; what it was given again has the key that it had.
    func compare() async throws {
        try await fleet.step("the webhook's record is the log") {
            try await fleet.settle()
            try await fleet.waitUntilDelivered(["hook"])
            let records = try await SinkRecords.of(fleet)
            var keys: [String: Set<String>] = [:]
            var calls = 0
            for call in receiver.calls where call.run.hasPrefix("firehose/") {
                calls += 1
                for seq in call.seqs { keys["\(call.run) \(seq)", default: []].insert(call.headers.first(name: "Idempotency-Key") ?? "none") }
            }
            let several = keys.filter { $0.value.count != 1 }
            #expect(several.isEmpty, "events came again under other keys: \(several.prefix(3))")
            #expect(Set(keys.values.flatMap(\.self)).count == keys.count, "two events had one key")
            fleet.journal.note("\(records.count) events, \(calls - records.count) of them given again")
            #expect(calls > records.count, "no worker delivered what was not its own any more")
            let differences = records.atLeastOnce("hook", receiver.taken.filter { $0.key.hasPrefix("firehose/") })
            try fleet.require(differences.isEmpty, differences.joined(separator: "\n"))
        }
    }
}
