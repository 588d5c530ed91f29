import Foundation
import PostgresClient
import Simulator
import TestSupport
import Testing

@Suite("Whole fleet: two relays, three workers")
struct WorkerKilledTests {
    @Test("everything sent is in the log, once, in order per DID, though one of three workers is killed", .timeLimit(.minutes(4)))
    func workerKilled() async throws {
        let seed = TestSeed("worker killed")
        try await FleetUnderTest.run(seed: seed.value) { fleet in
            let ingester = try await fleet.start("ingest", "ingest", "firehose")
            var workers: [WeirProcess] = []
            for number in 1...3 { workers.append(try await fleet.start("worker \(number)", "worker")) }
            let events = 3_000
            try await fleet.waitUntil { pool in
                try await FleetUnderTest.number(pool, "SELECT count(DISTINCT owner) FROM weir.shards WHERE owner IS NOT NULL") == 3
            }
            try await fleet.simulator.set(EventRate(eventsPerSecond: 400, eventsMax: events))

            try await fleet.waitUntil { try await $0.loggedEvents() >= 800 }
            let victim = try #require(workers.first)
            let process = try #require(victim.child.processID)
            let lost = "SELECT shard FROM weir.shards WHERE owner LIKE '%-\(process)-%' ORDER BY shard"
            let shards = try await fleet.pool.query(lost).map { try $0.value(0, as: Int32.self) }
            #expect(!shards.isEmpty, "the worker to be killed owns nothing: the fault would prove nothing")
            #expect(await victim.end(SIGKILL) == 128 + SIGKILL)
            let loggedAtKill = try await fleet.pool.loggedEvents()
            #expect(loggedAtKill < events, "the worker was killed after the end: the fault would prove nothing")
            try await fleet.waitUntil { try await $0.query(lost).isEmpty }

            try await fleet.waitUntil { _ in fleet.simulator.record.eventCount >= events }
            try await fleet.waitUntil { try await $0.loggedEvents() >= fleet.expected().count }
            let expected = try fleet.expected()
            let actual = try await ActualLog(fleet.pool)
            let differences = LogComparison.differences(expected, actual)
            #expect(differences.isEmpty, "\(seed)\n\(differences.joined(separator: "\n"))")
            #expect(expected.count > events)
            #expect(try await FleetUnderTest.number(fleet.pool, "SELECT coalesce(sum(count), 0)::bigint FROM weir.refused_counts") == 0)

            for process in [ingester] + workers.dropFirst() {
                #expect(await process.end(SIGTERM) == 0, "\(process.name) did not end in order:\n\(process.child.output)")
            }
        }
    }
}
