import Foundation
import Simulator
import TestSupport
import Testing

/// Relays whose numbers no longer hold what we know of them: they number anew, or gave up what we have not read.
@Suite("Whole fleet: relays number anew, or forget")
struct RelayNumberingTests {
    private static let content = ContentConfiguration(accountPerThousand: 0, syncPerThousand: 0)

    @Test(
        "a cursor in a relay's future stops that relay or opens an epoch; a forgotten window is a declared gap, and hides nothing else",
        .timeLimit(.minutes(4)))
    func numbering() async throws {
        let seed = TestSeed("relays number anew")
        let settings = ["WEIR_WORKER_PREDECESSOR_WAIT": "1s"]
        try await FleetUnderTest.run(seed: seed.value, content: Self.content, settings: settings) { fleet in
            let worker = try await fleet.start("worker", "worker")
            let stopping = try await fleet.start("ingest", ["ingest", "firehose"], settings: ["WEIR_RELAY_FUTURE_CURSOR": "stop"])
            try await fleet.simulator.set(EventRate(eventsPerSecond: 80))
            try await fleet.progress(200)

            try await fleet.step("FutureCursor under the policy stop") {
                try await fleet.simulator.take(FaultOrder(kind: .renumber, relay: 1))
                try await fleet.waitUntil("relay 1 is reported as stopped") { pool in
                    let sql = "SELECT count(*) FROM weir.upstream_reports r JOIN weir.upstreams u ON u.id = r.upstream "
                    return try await FleetUnderTest.number(pool, sql + "WHERE u.host = '\(fleet.host(1))' AND r.state = 'stopped'") == 1
                }
                #expect(fleet.simulator.faults.count(.renumber, relay: 1) == 1)
                #expect(try await fleet.endedSessions(1, ["future_cursor"]) == 1)
                // The other relay goes on.
                try await fleet.progress()
                try await fleet.end(stopping)
            }

            let living = ["WEIR_RELAY_FUTURE_CURSOR": "live"]
            let first = try await fleet.start("ingest 2", ["ingest", "firehose"], settings: living)
            try await fleet.step("FutureCursor under the policy live") {
                try await fleet.waitUntil("relay 1 is read in a new epoch") { pool in
                    let sql = "SELECT count(*) FROM weir.watermarks w JOIN weir.upstreams u ON u.id = w.upstream "
                    return try await FleetUnderTest.number(pool, sql + "WHERE u.host = '\(fleet.host(1))' AND w.epoch = 1") == 8
                }
                let gaps = "SELECT count(*) FROM weir.declared_gaps g JOIN weir.upstreams u ON u.id = g.upstream WHERE u.host = '\(fleet.host(1))' "
                #expect(try await FleetUnderTest.number(fleet.pool, gaps + "AND g.after_epoch = 0 AND g.through_epoch = 1") >= 1)
                try await fleet.progress()
            }
            try await fleet.step("log = record after a new numbering") { try await fleet.settle() }

            try await Self.outdated(fleet, living, first)
            try await fleet.end(worker)
        }
    }

    /// Both relays forget what was sent while nobody read them: what neither has any more is the only thing that may be missing.
    private static func outdated(_ fleet: FleetUnderTest, _ living: [String: String], _ reader: WeirProcess) async throws {
        try await fleet.step("OutdatedCursor at both relays") {
            try await fleet.simulator.set(EventRate(eventsPerSecond: 80))
            try await fleet.progress()
            #expect(await reader.end(SIGKILL) == 128 + SIGKILL)
            let sent = fleet.simulator.record.eventCount
            try await fleet.waitUntil("events that nobody reads") { _ in fleet.simulator.record.eventCount >= sent + 60 }
            try await fleet.simulator.take(FaultOrder(kind: .forget))
            #expect(fleet.simulator.faults.count(.forget) == 2)
            let next = try await fleet.start("ingest 3", ["ingest", "firehose"], settings: living)
            try await fleet.waitUntil("both relays declare a gap") { _ in Set(try await fleet.declaredGaps().map(\.relay)) == [0, 1] }
            try await fleet.progress()
            let all = try await fleet.settle { $0.excusing(try await fleet.declaredGaps(), relays: 2) }
            let hidden = Int64(try fleet.expected().count) - (try await fleet.pool.loggedEvents())
            try fleet.require(all.count < (try fleet.expected().count), "the gaps excuse nothing")
            try fleet.require(hidden > 20, "the gaps hide \(hidden) events: the fault proves nothing")
            fleet.journal.note("\(hidden) events hidden by declared gaps, and no other is missing")
            try await fleet.end(next)
        }
    }
}
