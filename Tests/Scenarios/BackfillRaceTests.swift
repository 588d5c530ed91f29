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
        "hundreds of commits come while a repository drips in: what is held stays bounded, it is fetched again, and ends as the repository is",
        .timeLimit(.minutes(3)))
    func faster() async throws {
        let seed = TestSeed("faster than its fetch")
        // One account writes, all that there is to write.
        let content = ContentConfiguration(
            initialRecordsMax: 300, identityPerThousand: 0, accountPerThousand: 0, syncPerThousand: 0, activitySkew: 1, actingAccounts: 1)
        try await FleetUnderTest.run(
            seed: seed.value, accounts: 12, content: content, settings: FleetUnderTest.tracksEverything.merging(ScenarioLeases.settings) { a, _ in a }
        ) { fleet in
            let did = await fleet.simulator.dids[0]
            // 200 KB a second at most, while a hundred commits make it longer by some 50.
            let slow = FaultOrder(kind: .hostSlow, did: did, count: 100_000, seconds: 0.02, bytes: 4_000)
            try await fleet.simulator.take(slow)
            for arguments in [["ingest", "firehose"], ["worker"]] { _ = try await fleet.start(arguments.joined(separator: " "), arguments) }
            try await fleet.simulator.set(EventRate(eventsPerSecond: 100))
            _ = try await fleet.start("ingest backfill", ["ingest", "backfill"])
            try await fleet.step("it is fetched, and behind again before that ends") {
                try await fleet.waitUntil("it was fetched for the second time") { _ in
                    let held = try await FleetUnderTest.number(fleet.pool, "SELECT count(*) FROM weir.held WHERE did = '\(did)'")
                    #expect(held <= Self.heldMax + Self.batchMax, "\(held) messages are held")
                    return try await Self.attempts(fleet, did) >= 2
                }
                try fleet.require(fleet.simulator.faults.count(.hostSlow) >= 2, "its host was not slow")
            }
            try await fleet.step("the others never waited for it") {
                try await fleet.waitUntil("they are active") { _ in try await fleet.repositories("active") >= 11 }
            }
            let behind = try await Self.records(fleet, did, "NOT live")
            try await fleet.step("its host is quick again while commits go on") {
                var end = slow
                end.count = 0
                try await fleet.simulator.take(end)
                try await fleet.waitUntil("it is followed live") { _ in
                    let live = try await Self.records(fleet, did, "live")
                    return try await fleet.repositories("active") == 12 && live > 200
                }
            }
            try await fleet.settleRepositories()
            let attempts = try await Self.attempts(fleet, did)
            fleet.journal.note("\(attempts) attempts; \(behind) records came of snapshots before its host was quick")
            #expect(attempts >= 2)
            #expect(try await FleetUnderTest.number(fleet.pool, "SELECT count(*) FROM weir.dead_letters") == 0)
        }
    }

    /// Archives that were applied whole.
    private static func attempts(_ fleet: FleetUnderTest, _ did: String) async throws -> Int64 {
        let ended = "kind = 'sync' AND body LIKE '%\"active\"%' AND did = '\(did)'"
        return try await FleetUnderTest.number(fleet.pool, "SELECT count(*) FROM weir.run_events WHERE \(ended)")
    }

    private static func records(_ fleet: FleetUnderTest, _ did: String, _ condition: String) async throws -> Int64 {
        try await FleetUnderTest.number(fleet.pool, "SELECT count(*) FROM weir.run_events WHERE kind = 'record' AND did = '\(did)' AND \(condition)")
    }
}
