import Foundation
import PostgresClient
import RedisClient
import Simulator
import TestSupport
import Testing

@Suite("Whole fleet: Redis is emptied")
struct RedisFlushedTests {
    @Test("everything sent is in the log, once, in order per DID, though Redis is emptied until entries are lost", .timeLimit(.minutes(4)))
    func flushed() async throws {
        let seed = TestSeed("Redis flushed")
        try await FleetUnderTest.run(seed: seed.value) { fleet in
            let processes = [
                try await fleet.start("ingest", "ingest", "firehose"), try await fleet.start("worker 1", "worker"),
                try await fleet.start("worker 2", "worker"),
            ]
            let redis = RedisClient(try RedisConfiguration(url: fleet.redis.url))
            let events = 3_000
            try await fleet.simulator.set(EventRate(eventsPerSecond: 400, eventsMax: events))
            try await fleet.waitUntil { try await $0.loggedEvents() >= 500 }
            // A flush that meets no unread entry loses nothing: again, until a worker found a hole and a relay opened another session for it.
            try await fleet.waitUntil { pool in
                if try await FleetUnderTest.number(pool, "SELECT count(*) FROM weir.sessions") > 2 { return true }
                try await redis.send(RedisCommand("FLUSHALL"))
                return false
            }
            let reasons = try await fleet.pool.query("SELECT close_reason FROM weir.sessions WHERE close_reason IS NOT NULL")
            #expect(!reasons.isEmpty)
            #expect(try await fleet.pool.loggedEvents() < events, "Redis was emptied after the end: the fault would prove nothing")

            try await fleet.waitUntil { _ in fleet.simulator.record.eventCount >= events }
            try await fleet.waitUntil { try await $0.loggedEvents() >= fleet.expected().count }
            let expected = try fleet.expected()
            let differences = LogComparison.differences(expected, try await ActualLog(fleet.pool))
            #expect(differences.isEmpty, "\(seed)\n\(differences.joined(separator: "\n"))")
            #expect(expected.count > events)
            await redis.shutDown()
            for process in processes {
                #expect(await process.end(SIGTERM) == 0, "\(process.name) did not end in order:\n\(process.child.output)")
            }
        }
    }
}
