import Simulator
import TestSupport
import Testing

/// Redis and Postgres fail in turn under one fleet, while a client follows the merged firehose.
@Suite("Whole fleet: servers fail")
struct ServerFaultsTests {
    private static let highWater: Int64 = 1_000

    @Test("log and client have everything, once, in order, though Redis and Postgres fail in turn", .timeLimit(.minutes(5)))
    func servers() async throws {
        let seed = TestSeed("servers fail")
        let settings = ["WEIR_HIGH_WATER_MARK": "\(Self.highWater)"]
        try await FleetUnderTest.run(seed: seed.value, settings: settings, keepsRedis: true) { fleet in
            let client = fleet.client()
            let taken = try ProcessMetrics()
            let ingester = try await fleet.start("ingest", ["ingest", "firehose"], settings: taken.settings)
            try await Self.highWaterHeld(fleet, taken)
            let api = try await fleet.start("api", "api")
            let workers = [try await fleet.start("worker 1", "worker"), try await fleet.start("worker 2", "worker")]
            try await fleet.step("workers take the backlog away") { try await fleet.progress(1_500) }

            try await fleet.simulator.set(EventRate(eventsPerSecond: 80))
            try await fleet.postgresKilled()
            try await fleet.redisFull(ingester: ingester)
            try await Self.tailLost(fleet, workers)
            let successors = [try await fleet.start("worker 3", "worker"), try await fleet.start("worker 4", "worker")]
            try await fleet.step("the rewind heals it") {
                try await fleet.waitUntil("a worker finds what is missing") { _ in try await fleet.rewinds() > 0 }
                try await fleet.progress()
            }
            try await fleet.step("log = record = client") { try await fleet.settle() }
            #expect(client.connections >= 1)
            for process in successors + [ingester, api] { try await fleet.end(process) }
        }
    }

    /// Nobody takes anything away: the ingester stops reading at the mark, and the relays keep what follows.
    private static func highWaterHeld(_ fleet: FleetUnderTest, _ taken: ProcessMetrics) async throws {
        try await fleet.step("the high-water mark, reached and held") {
            try await fleet.simulator.set(EventRate(eventsPerSecond: 400, eventsMax: 2_000))
            try await fleet.waitUntil("both relays are reported as paused") { pool in
                try await FleetUnderTest.number(pool, "SELECT count(*) FROM weir.upstream_reports WHERE state = 'paused'") == 2
            }
            let takenAtMark = try await taken.sum("weir_ingest_events")
            try await fleet.waitUntil("the network goes on") { _ in fleet.simulator.record.eventCount >= 2_000 }
            try await fleet.simulator.set(EventRate(eventsPerSecond: 400, eventsMax: 400))
            try await fleet.waitUntil("and on") { _ in fleet.simulator.record.eventCount >= 2_400 }
            let entries = try await RedisProbe.with(fleet) { try await $0.entries() }
            // Not one more is read while the gate is closed. Above the mark stands what was read between two looks at Redis (four a second, fewer on a
            // starved machine), and barriers: of the 4,800 messages that both relays have, twice the mark at most.
            try fleet.require(try await taken.sum("weir_ingest_events") == takenAtMark, "messages were read after the pause")
            try fleet.require(entries >= highWater && entries <= 2 * highWater, "\(entries) entries stand in Redis at a mark of \(highWater)")
            fleet.journal.note("\(entries) entries in Redis, \(takenAtMark) messages taken of 4,800 sent, at a mark of \(highWater)")
        }
    }

    /// Entries that no worker has read are in what is cut.
    private static func tailLost(_ fleet: FleetUnderTest, _ workers: [WeirProcess]) async throws {
        try await fleet.step("Redis restarted without its last writes") {
            for worker in workers { try await fleet.end(worker) }
            let kept = try await fleet.redis.appendOnlyBytes()
            let keptEntries = try await RedisProbe.with(fleet) { try await $0.entriesAdded() }
            try await fleet.waitUntil("Redis has written more") { _ in
                let added = try await RedisProbe.with(fleet) { try await $0.entriesAdded() }
                return try await fleet.redis.appendOnlyBytes() > kept && added >= keptEntries + 200
            }
            try await fleet.simulator.set(EventRate.paused)
            let atKill = try await RedisProbe.with(fleet) { try await $0.entriesAdded() }
            try await fleet.redis.killAndCut(toBytes: kept)
            try await fleet.redis.start()
            let after = try await RedisProbe.with(fleet) { try await $0.entriesAdded() }
            try fleet.require(after < atKill, "Redis came back with \(after) entries of \(atKill): nothing was cut")
            fleet.journal.note("entries ever added: \(atKill) at the kill, \(after) after it")
            try await fleet.simulator.set(EventRate(eventsPerSecond: 80))
        }
    }
}
