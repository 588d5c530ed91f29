import Simulator
import TestSupport
import Testing

@Suite("Whole fleet: workers come and go")
struct WorkersScaledTests {
    @Test("1, 4, then 2 workers under load: shards are shared evenly each time, who leaves ends in order, log = record", .timeLimit(.minutes(3)))
    func scaled() async throws {
        let seed = TestSeed("workers scaled")
        try await FleetUnderTest.run(seed: seed.value) { fleet in
            let ingester = try await fleet.start("ingest", "ingest", "firehose")
            var workers = [try await fleet.start("worker 1", "worker")]
            // In bursts: a shard is to change hands in the middle of a large batch, not only between small ones.
            try await fleet.simulator.set(EventRate(eventsPerSecond: 80, burstEvents: 300, burstEverySeconds: 1))
            try await Self.settled(fleet, [8])
            for number in 2...4 { workers.append(try await fleet.start("worker \(number)", "worker")) }
            try await Self.settled(fleet, [2, 2, 2, 2])
            for _ in 1...2 { try await fleet.end(workers.removeFirst()) }
            try await Self.settled(fleet, [4, 4])
            try await fleet.step("log = record") { try await fleet.settle() }
            let moves = try await FleetUnderTest.number(fleet.pool, "SELECT sum(lease_moves)::bigint FROM weir.shards")
            fleet.journal.note("leases moved \(moves) times")
            #expect(try await FleetUnderTest.number(fleet.pool, "SELECT coalesce(sum(count), 0)::bigint FROM weir.refused_counts") == 0)
            // A shard that changes hands in order goes on where it was left: nothing is missed that had to be read again.
            #expect(try await fleet.rewinds() == 0, "a rewind had to mend what a hand-over lost")
            for process in workers + [ingester] { try await fleet.end(process) }
        }
    }

    private static func settled(_ fleet: FleetUnderTest, _ shares: [Int64]) async throws {
        try await fleet.step("\(shares.count) workers own \(shares) shards") {
            try await fleet.waitUntil("shards are shared as \(shares)") { _ in try await fleet.sharesOfShards() == shares }
            try await fleet.progress()
        }
    }
}
