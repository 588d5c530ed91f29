import PostgresClient
import Simulator
import TestSupport
import Testing

@Suite("Whole fleet: a repository that changes faster than it is fetched")
struct BackfillRaceTests {
    /// Messages of one repository that wait for its snapshot at most (`HoldTable.Limits`).
    private static let heldMax: Int64 = 64
    /// What one batch brings beyond it (`worker.batch_entries`).
    private static let batchMax: Int64 = 500

    @Test(
        "commits come by the hundred while one repository drips in and another stands still: what is held stays bounded, each ends as it is",
        .timeLimit(.minutes(3)))
    func faster() async throws {
        let seed = TestSeed("faster than its fetch")
        // Two accounts write all that there is to write.
        let content = ContentConfiguration(
            initialRecordsMax: 300, identityPerThousand: 0, accountPerThousand: 0, syncPerThousand: 0, activitySkew: 1, actingAccounts: 2)
        try await FleetUnderTest.run(
            seed: seed.value, accounts: 12, content: content, settings: FleetUnderTest.tracksEverything.merging(ScenarioLeases.settings) { a, _ in a }
        ) { fleet in
            let (dripping, standing) = (await fleet.simulator.dids[0], await fleet.simulator.dids[1])
            // 200 KB a second at most, while a hundred commits make it longer by some 50.
            let slow = FaultOrder(kind: .hostSlow, did: dripping, count: 100_000, seconds: 0.02, bytes: 4_000)
            let hang = FaultOrder(kind: .hostHang, did: standing, bytes: 2_000)
            for order in [slow, hang] { try await fleet.simulator.take(order) }
            for arguments in [["ingest", "firehose"], ["worker"]] { _ = try await fleet.start(arguments.joined(separator: " "), arguments) }
            try await fleet.simulator.set(EventRate(eventsPerSecond: 200))
            _ = try await fleet.start("ingest backfill", ["ingest", "backfill"])
            try await fleet.step("one is fetched and behind again before that ends; of the other no more is held than there is room for") {
                try await fleet.waitUntil("it was fetched for the second time") { _ in
                    let most = try await FleetUnderTest.number(
                        fleet.pool, "SELECT coalesce(max(held), 0) FROM (SELECT count(*) AS held FROM weir.held GROUP BY did) h")
                    #expect(most <= Self.heldMax + Self.batchMax, "\(most) messages of one repository are held")
                    let produced = try await fleet.simulator.status().eventsProduced
                    return try await Self.attempts(fleet, dripping) >= 2 && produced > 600
                }
                try fleet.require(fleet.simulator.faults.count(.hostSlow) >= 2, "its host was not slow")
            }
            try await fleet.step("commits stop, and only then the archives come") {
                // What was not held is told by nothing that follows.
                try await fleet.simulator.set(.paused)
                for relay in fleet.simulator.addresses.relays.indices { try await fleet.waitUntilReadThrough(relay) }
                try fleet.require(try await fleet.jobs("did = '\(standing)' AND state = 'fetching'") == 1, "its archive does not stand still")
                let held = try await FleetUnderTest.number(fleet.pool, "SELECT count(*) FROM weir.held WHERE did = '\(standing)'")
                fleet.journal.note("\(held) commits of it are held")
                #expect(held >= Self.heldMax && held <= Self.heldMax + Self.batchMax)
                for order in [slow, hang] {
                    var end = order
                    end.count = 0
                    try await fleet.simulator.take(end)
                }
                try await fleet.settleRepositories()
                #expect(try await fleet.repositories("active") == 12)
            }
            try await fleet.step("both are followed live") {
                let live = try await Self.live(fleet)
                try await fleet.simulator.set(EventRate(eventsPerSecond: 200))
                try await fleet.waitUntil("more came") { _ in try await Self.live(fleet) > live + 100 }
            }
            try await fleet.settleRepositories()
            #expect(try await FleetUnderTest.number(fleet.pool, "SELECT count(*) FROM weir.dead_letters") == 0)
        }
    }

    /// Archives that were applied whole.
    private static func attempts(_ fleet: FleetUnderTest, _ did: String) async throws -> Int64 {
        let ended = "kind = 'sync' AND body LIKE '%\"active\"%' AND did = '\(did)'"
        return try await FleetUnderTest.number(fleet.pool, "SELECT count(*) FROM weir.run_events WHERE \(ended)")
    }

    private static func live(_ fleet: FleetUnderTest) async throws -> Int64 {
        try await FleetUnderTest.number(fleet.pool, "SELECT count(*) FROM weir.run_events WHERE kind = 'record' AND live")
    }
}
