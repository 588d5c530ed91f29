import Events
import Foundation
import PostgresClient
import RedisClient
import Simulator
import TestSupport
import Testing

@Suite("Whole fleet: processes die at every crash point")
struct CrashPointsTests {
    @Test(
        "everything sent is in the log once and in order, and at a client of the API too, though a process is killed at every crash point",
        .timeLimit(.minutes(10)))
    func everyPoint() async throws {
        let seed = TestSeed("crash points")
        try await FleetUnderTest.run(seed: seed.value) { fleet in
            try await CrashFleet.explaining(seed, fleet) { crashes in
                try await Self.scenario(seed, crashes)
            }
        }
    }

    private static func scenario(_ seed: TestSeed, _ crashes: CrashFleet) async throws {
        let fleet = crashes.fleet
        let client = CrashStreamClient(port: fleet.apiPort)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await client.run() }
            defer { group.cancelAll() }
            var rounds = CrashRounds(crashes: crashes, client: client, generator: seed.generator())
            try await rounds.begin()
            try await CrashSinks.make(crashes)
            try await fleet.simulator.set(EventRate(eventsPerSecond: 100))
            for point in CrashPoint.allCases { try await rounds.die(at: point) }

            let expected = try await crashes.waitUntilAllIsLogged()
            try await client.waitUntilReceived(try await crashes.logged)
            let differences = LogComparison.differences(expected, try await ActualLog(fleet.pool))
            let logged = try await StreamedEvent.logged(fleet.pool)
            let streamed = StreamedEvent.differences(await client.events, logged)
            try await CrashOutlets.waitUntilPublished(crashes)
            let redis = RedisClient(try RedisConfiguration(url: fleet.redis.url))
            let outlets = try await CrashOutlets.differences(redis, logged)
            await redis.shutDown()
            let sinks = try await CrashSinks.differences(crashes, logged)
            let complaints = await client.complaints
            let tails = await crashes.tails
            #expect(differences.isEmpty, "\(seed)\n\(differences.joined(separator: "\n"))\n\(tails)")
            #expect(streamed.isEmpty, "\(seed)\n\(streamed.joined(separator: "\n"))\n\(tails)")
            #expect(outlets.isEmpty, "\(seed)\n\(outlets.joined(separator: "\n"))\n\(tails)")
            #expect(sinks.isEmpty, "\(seed)\n\(sinks.joined(separator: "\n"))\n\(tails)")
            #expect(complaints.isEmpty, "\(seed)\n\(complaints)")
            #expect(await client.connections == rounds.apiStarts)
            #expect(try await FleetUnderTest.number(fleet.pool, "SELECT coalesce(sum(count), 0)::bigint FROM weir.refused_counts") == 0)
            try await crashes.endAll()
        }
    }
}

/// One death after the other, each under load, each followed by the proof that the fleet goes on.
private struct CrashRounds {
    let crashes: CrashFleet
    let client: CrashStreamClient
    var generator: SeededGenerator
    private(set) var apiStarts = 0
    private var ingester: WeirProcess?
    private var api: WeirProcess?

    init(crashes: CrashFleet, client: CrashStreamClient, generator: SeededGenerator) {
        self.crashes = crashes
        self.client = client
        self.generator = generator
    }

    /// A fleet in which nobody is to die.
    mutating func begin() async throws {
        _ = try await crashes.start("worker", .worker)
        ingester = try await crashes.start("ingester", .ingester)
        api = try await startAPI("api")
    }

    mutating func die(at point: CrashPoint) async throws {
        let order = CrashOrder(point, count: Int.random(in: Self.counts(point), using: &generator))
        switch CrashFleet.Role(of: point) {
        case .ingester: try await killIngester(order)
        case .backfill: try await killBackfill(order)
        case .fetcher: break
        case .worker: try await killWorker(order)
        case .api: try await killAPI(order)
        }
        let seen = await client.count
        try await crashes.waitUntilAdvanced(by: 20)
        try await client.waitUntilReceived(seen + 20)
    }

    /// A point that a process reaches seldom must come soon; at others the first times are the least busy.
    private static func counts(_ point: CrashPoint) -> ClosedRange<Int> {
        switch point {
        case .ingestAfterOpenSession, .ingestAfterAppendBeforeCursor: 1...2
        case .backfillBeforePage, .backfillAfterPage: 1...4
        case .backfillAfterFeedBeforeAppend: 1...1
        case .serveMidStream: 3...20
        default: 3...12
        }
    }

    /// The victim stands by, takes the relays over from the one that reads them, and dies; another takes them when its leases have run out.
    private mutating func killIngester(_ order: CrashOrder) async throws {
        let victim = try await crashes.start("ingester to die at \(order)", .ingester, order)
        if let ingester { try await crashes.end(ingester) }
        try await crashes.death(of: victim, by: order)
        let next = try await crashes.start("ingester after \(order.point.rawValue)", .ingester)
        ingester = next
        try await crashes.waitUntilReading(next)
    }

    /// The victim lists the hosts, which nobody has listed before, and feeds what it lists; another one goes on where it died. Nobody fetches.
    private func killBackfill(_ order: CrashOrder) async throws {
        try await CrashBackfill.forget(crashes)
        let victim = try await crashes.start("backfill to die at \(order)", .backfill, order)
        try await crashes.death(of: victim, by: order)
        let next = try await crashes.start("backfill after \(order.point.rawValue)", .backfill)
        try await CrashBackfill.waitUntilFed(crashes)
        try await crashes.end(next)
    }

    /// The victim gets its share of the shards and dies; the other worker takes them when their leases have run out.
    private func killWorker(_ order: CrashOrder) async throws {
        let victim = try await crashes.start("worker to die at \(order)", .worker, order)
        try await crashes.death(of: victim, by: order)
        let left = try await crashes.seqs(ownedBy: victim)
        let isOutbox = [.outboxBeforePublish, .outboxAfterPublishBeforeMark, .sinkBeforeDeliver, .sinkAfterDeliverBeforeMark].contains(order.point)
        if !isOutbox { #expect(!left.isEmpty) }
        try await crashes.waitUntilPassed(left, without: victim)
    }

    private mutating func killAPI(_ order: CrashOrder) async throws {
        if let api { try await crashes.end(api) }
        let victim = try await startAPI("api to die at \(order)", order)
        try await crashes.death(of: victim, by: order)
        api = try await startAPI("api after \(order.point.rawValue)")
    }

    private mutating func startAPI(_ name: String, _ order: CrashOrder? = nil) async throws -> WeirProcess {
        let api = try await crashes.start(name, .api, order)
        apiStarts += 1
        client.apiIsUp()
        return api
    }
}
