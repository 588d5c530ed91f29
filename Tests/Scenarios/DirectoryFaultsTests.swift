import Foundation
import PostgresClient
import Simulator
import TestSupport
import Testing

/// The directory fails, or knows another key than we do; one relay, so that nothing comes a second time to make up for a mistake.
@Suite("Whole fleet: the directory fails")
struct DirectoryFaultsTests {
    /// Accounts that act alike, so that all are known soon. Identity events come from rotations alone.
    private static let content = ContentConfiguration(
        initialRecordsMax: 20, identityPerThousand: 0, accountPerThousand: 0, syncPerThousand: 0, activitySkew: 1)

    @Test(
        "keys that change are fetched anew, an absent account is asked for once, and what waits for a failing directory waits in order",
        .timeLimit(.minutes(4)))
    func directory() async throws {
        let seed = TestSeed("the directory fails")
        let relays = [RelayConfiguration(name: "relay-0")]
        try await FleetUnderTest.run(seed: seed.value, accounts: 60, content: Self.content, relays: relays) { fleet in
            let ingester = try await fleet.start("ingest", "ingest", "firehose")
            let worker = try await fleet.start("worker", "worker")
            try await fleet.simulator.set(EventRate(eventsPerSecond: 100))
            // A commit under an old key can be judged only by who had that key before: every account's is known when keys begin to change.
            try await fleet.waitUntil("every key is known") { try await FleetUnderTest.number($0, "SELECT count(*) FROM weir.identities") == 60 }
            try await fleet.step("log = record while all is well") { try await fleet.settle() }
            try await Self.keysRotated(fleet)
            try await fleet.end(worker)
            try await fleet.pool.execute("DELETE FROM weir.identities")
            let unknowing = try await fleet.start("worker 2", "worker")
            let before = try fleet.expected()
            let absent = try await Self.accountNotFound(fleet)
            try await Self.directoryFails(fleet, absent, before)
            for process in [ingester, unknowing] { try await fleet.end(process) }
        }
    }

    /// So many that some accounts change their key twice: of what they sent in between, the directory no longer knows the key.
    ///
    /// All at once, so that the first commits under a new key come right behind the event that tells of it, and long before a document is old.
    private static func keysRotated(_ fleet: FleetUnderTest) async throws {
        try await fleet.step("keys rotated") {
            try await fleet.simulator.take(FaultOrder(kind: .rotateKey, count: 40))
            let sent = fleet.simulator.record.eventCount
            try await fleet.simulator.set(EventRate(eventsPerSecond: .infinity, eventsMax: 400))
            try await fleet.waitUntil("the burst is sent") { _ in fleet.simulator.record.eventCount >= sent + 440 }
            try fleet.require(fleet.simulator.faults.count(.rotateKey) == 40, "not all keys were rotated")
            let expected = try await fleet.settle { $0.excusingPassingKeys() }
            let missing = Int64(try fleet.expected().count) - (try await fleet.pool.loggedEvents())
            fleet.journal.note("\(missing) events missing of \(expected.hiddenCount) under keys that were replaced again")
            #expect((missing == 0) == (try await fleet.refused(["badSignature"]) == 0), "what is missing was refused, and nothing else")
        }
    }

    /// One answer of 404: final, and remembered.
    private static func accountNotFound(_ fleet: FleetUnderTest) async throws -> String {
        var absent = ""
        try await fleet.step("an account that the directory does not know") {
            try await fleet.simulator.take(FaultOrder(kind: .directoryNotFound, count: 1, seconds: 0))
            // Slowly: most keys are to be unknown still when the directory fails.
            try await fleet.simulator.set(EventRate(eventsPerSecond: 20))
            try await fleet.waitUntil("a message is refused for it") { _ in try await fleet.refused(["noIdentity"]) > 0 }
            try fleet.require(fleet.simulator.faults.count(.directoryNotFound) == 1, "404 was not answered once")
            let rows = try await fleet.pool.query("SELECT DISTINCT did FROM weir.refused WHERE reason = 'noIdentity'")
            try fleet.require(rows.count == 1, "\(rows.count) accounts were refused")
            absent = try rows.first?.value(0) ?? ""
        }
        return absent
    }

    private static func directoryFails(_ fleet: FleetUnderTest, _ absent: String, _ before: ExpectedLog) async throws {
        try await fleet.step("the directory answers 502, then well again") {
            try await fleet.simulator.take(FaultOrder(kind: .directoryError, seconds: 600))
            try await fleet.simulator.set(EventRate(eventsPerSecond: 100))
            try await fleet.waitUntil("messages wait for keys") { _ in try await fleet.held("identity") >= 25 }
            let sent = fleet.simulator.record.eventCount
            try await fleet.waitUntil("the network goes on") { _ in fleet.simulator.record.eventCount >= sent + 300 }
            let failures = fleet.simulator.faults.count(.directoryError)
            // 20 open the breaker, some were on their way, and a probe follows each five seconds.
            try fleet.require((20...80).contains(failures), "the directory was asked \(failures) times in vain")
            fleet.journal.note("\(failures) failures of the directory, \(try await fleet.held("identity")) messages held")
            try await fleet.simulator.take(FaultOrder(kind: .directoryError, seconds: 0.001))
            let refused = try await fleet.refused(["badSignature"])
            let expected = try await fleet.settle { expected in
                var rest = expected.excusingPassingKeys()
                // What it sent before the directory lost it was taken; what it sent since is refused, without another question.
                let taken = Set(before.events[absent] ?? [])
                rest.events[absent] = rest.events[absent]?.filter { $0.kind != "record" || taken.contains($0) }
                return rest
            }
            #expect(expected.count > 500)
            #expect(try await fleet.refused(["badSignature", "identityUnavailable"]) == refused)
        }
    }
}
