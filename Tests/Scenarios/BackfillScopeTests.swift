import Foundation
import PostgresClient
import Simulator
import TestSupport
import Testing

@Suite("Whole fleet: a part of the network, and twice the fleet")
struct BackfillScopeTests {
    @Test(
        "in the scope of a collection those that hold a record of it are fetched, one that gets its first comes in live, nothing of others is delivered",
        .timeLimit(.minutes(3)))
    func collection() async throws {
        let seed = TestSeed("scope of a collection")
        let signal = "com.example.river.reading"
        let settings = FleetUnderTest.tracksEverything.merging(ScenarioLeases.settings) { a, _ in a }
            .merging(["WEIR_REPOS_SCOPE": "collection", "WEIR_REPOS_SIGNAL": signal]) { $1 }
        try await FleetUnderTest.run(
            seed: seed.value, accounts: 80, content: ContentConfiguration(initialRecordsMax: 40, accountPerThousand: 0), settings: settings
        ) { fleet in
            let isHolder = { @Sendable (repository: RepositorySnapshot) in repository.records.keys.contains { $0.hasPrefix(signal + "/") } }
            var holders = Set<String>()
            for try await repository in fleet.simulator.repositories() where isHolder(repository) { holders.insert(repository.did) }
            let count = Int64(holders.count)
            try fleet.require((1..<80).contains(count), "\(count) of 80 hold a record of \(signal): nothing would be proven")
            for arguments in [["ingest", "firehose"], ["worker"], ["ingest", "backfill"]] {
                _ = try await fleet.start(arguments.joined(separator: " "), arguments)
            }
            try await fleet.step("those that hold it are fetched") {
                try await fleet.waitUntil("\(count) are fetched") { _ in try await fleet.jobs("state = 'done'") >= count }
                let fetched = Set(try await fleet.pool.query("SELECT did FROM weir.backfill_jobs").map { try $0.value(0, as: String.self) })
                #expect(fetched == holders)
            }
            try await fleet.step("somebody writes a first one") {
                try await fleet.simulator.set(EventRate(eventsPerSecond: 100))
                try await fleet.waitUntil("one came in live") { _ in try await fleet.jobs("reason = 'unknown'") > 0 }
            }
            // Whoever held one once stays: a repository does not leave with its last record.
            let wanted = Set(try await fleet.pool.query("SELECT did FROM weir.backfill_jobs").map { try $0.value(0, as: String.self) })
            try await fleet.simulator.set(EventRate.paused)
            try await fleet.settleRepositories { isHolder($0) || wanted.contains($0.did) }
            let tracked = Set(try await fleet.pool.query("SELECT did FROM weir.backfill_jobs").map { try $0.value(0, as: String.self) })
            #expect(Set(try await RepositoryComparison.logged(fleet.pool).keys).isSubset(of: tracked))
            var outside = 0
            for try await repository in fleet.simulator.repositories() where !tracked.contains(repository.did) {
                outside += 1
                #expect(!isHolder(repository), "\(repository.did) holds one and is not tracked")
            }
            try fleet.require(outside > 0, "everybody holds one by now: nothing is proven")
            fleet.journal.note("\(count) were listed, \(tracked.count - holders.count) came in live, \(outside) are outside")
        }
    }

    @Test(
        "a second fleet starts in the middle of a backfill and takes its half of it; both end it, each repository as it is",
        .timeLimit(.minutes(3)))
    func twice() async throws {
        let seed = TestSeed("a second fleet")
        let accounts = 300
        try await FleetUnderTest.run(
            seed: seed.value, accounts: accounts, content: ContentConfiguration(initialRecordsMax: 60),
            settings: FleetUnderTest.tracksEverything.merging(ScenarioLeases.settings) { a, _ in a }
                // What the first fleet may fetch in a second leaves something for the second.
                .merging(["WEIR_FETCH_HOST_RATE": "6"]) { $1 },
            simulator: { $0.repositoryHosts = 2 }
        ) { fleet in
            try await fleet.simulator.set(EventRate(eventsPerSecond: 60))
            _ = try await Self.startFleet(fleet, 1)
            try await fleet.waitUntil("a quarter is fetched") { _ in try await fleet.jobs("state = 'done'") >= Int64(accounts / 4) }
            let second = try await Self.startFleet(fleet, 2)
            let doneBefore = try await fleet.jobs("state = 'done'")
            try fleet.require(doneBefore < accounts * 3 / 4, "nearly all was fetched before the second fleet began")
            try await fleet.step("shards are shared, and both fetch") {
                try await fleet.waitUntil("four workers own two shards each") { _ in try await fleet.sharesOfShards() == [2, 2, 2, 2] }
                for metrics in second {
                    try await fleet.waitUntil("each new worker has fetched") { _ in try await metrics.sum("weir_repositories_fetched_total") > 0 }
                }
                try await fleet.waitUntil("all are done") { _ in try await fleet.jobs("state = 'done'") >= Int64(accounts) }
            }
            try await fleet.settleRepositories()
            // Lists are read by one at a time, whoever it is: each repository was listed once.
            #expect(try await FleetUnderTest.number(fleet.pool, "SELECT max(listed) FROM weir.backfill_sources") == Int64(accounts))
            #expect(try await FleetUnderTest.number(fleet.pool, "SELECT coalesce(sum(count), 0)::bigint FROM weir.refused_counts") == 0)
            #expect(try await FleetUnderTest.number(fleet.pool, "SELECT count(*) FROM weir.dead_letters") == 0)
        }
    }

    /// Two workers, and an ingester of each kind; returns what the workers count.
    private static func startFleet(_ fleet: FleetUnderTest, _ number: Int) async throws -> [ProcessMetrics] {
        for kind in ["firehose", "backfill"] { _ = try await fleet.start("ingest \(kind) of fleet \(number)", ["ingest", kind]) }
        var workers: [ProcessMetrics] = []
        for worker in 1...2 {
            let metrics = try ProcessMetrics()
            _ = try await fleet.start("worker \(worker) of fleet \(number)", ["worker"], settings: metrics.settings)
            workers.append(metrics)
        }
        return workers
    }
}
