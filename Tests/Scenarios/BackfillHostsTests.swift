import Foundation
import PostgresClient
import RedisClient
import Simulator
import TestSupport
import Testing

@Suite("Whole fleet: hosts of repositories that give nothing for a while")
struct BackfillHostsTests {
    private static let settings = FleetUnderTest.tracksEverything.merging(ScenarioLeases.settings) { a, _ in a }

    private struct Shown: Decodable {
        struct Job: Decodable {
            var state: String
            var failures: Int
            var error: String?
        }
        var phase: String
        var job: Job?
    }

    @Test(
        "a repository that cannot be fetched is shown as failed with the reason, to the API and the command line, and comes back once its host is mended",
        .timeLimit(.minutes(3)))
    func failed() async throws {
        let seed = TestSeed("failed repository")
        try await FleetUnderTest.run(
            seed: seed.value, accounts: 24, content: ContentConfiguration(initialRecordsMax: 30, accountPerThousand: 0), settings: Self.settings
        ) { fleet in
            let did = await fleet.simulator.dids[5]
            let lie = FaultOrder(kind: .carWrongDigest, did: did, count: 100_000)
            try await fleet.simulator.take(lie)
            for arguments in [["ingest", "firehose"], ["worker"], ["ingest", "backfill"]] {
                _ = try await fleet.start(arguments.joined(separator: " "), arguments)
            }
            _ = try await fleet.startAPI()
            try await fleet.simulator.set(EventRate(eventsPerSecond: 30))
            try await fleet.step("all but one are fetched, and that one is tried again and again") {
                try await fleet.waitUntil("the others are active") { _ in try await fleet.repositories("active") == 23 }
                try await fleet.waitUntil("it failed twice") { _ in try await fleet.jobs("did = '\(did)' AND failures >= 2") == 1 }
                try fleet.require(fleet.simulator.faults.count(.carWrongDigest) >= 2, "its host did not lie")
                try await fleet.waitUntil("its job waits") { _ in try await fleet.jobs("did = '\(did)' AND state = 'waiting'") == 1 }
                let shown = try await fleet.get("/repos/\(did)", as: Shown.self)
                let listed = try await fleet.command("repos", "list", "--phase", "failed")
                Self.expectFailed(did, shown, listed: listed, told: try await fleet.command("repos", "show", did))
            }
            try await fleet.step("its host is mended, and somebody asks for it") {
                var end = lie
                end.count = 0
                try await fleet.simulator.take(end)
                #expect(try await fleet.command("repos", "resync", did).contains("requested"))
                try await fleet.waitUntil("it is active") { _ in try await fleet.repositories("active") == 24 }
                #expect(try await fleet.get("/repos/\(did)", as: Shown.self).phase == "active")
            }
            try await fleet.settleRepositories()
            #expect(try await FleetUnderTest.number(fleet.pool, "SELECT count(*) FROM weir.dead_letters") == 0)
        }
    }

    /// Not in the closure that asks: there the compiler (6.3.1) takes one literal for another.
    private static func expectFailed(_ did: String, _ shown: Shown, listed: String, told: String) {
        #expect(shown.phase == "failed", "\(shown)")
        #expect((shown.job?.failures ?? 0) >= 2)
        #expect(shown.job?.error?.contains("gives an archive that is not sound") == true, "\(shown)")
        #expect(
            listed.split(separator: "\n").filter { $0.contains("did:plc:") }.allSatisfy { $0.contains(did) && $0.contains("failed") }, "\(listed)")
        #expect(listed.contains(did), "\(listed)")
        #expect(told.contains("gives an archive that is not sound"), "\(told)")
    }

    @Test(
        "a host asks to be left alone for a while: its repositories wait without a failure while another's are all fetched, then they follow",
        .timeLimit(.minutes(3)))
    func busy() async throws {
        let seed = TestSeed("busy host")
        try await FleetUnderTest.run(
            seed: seed.value, accounts: 60, content: ContentConfiguration(initialRecordsMax: 30, accountPerThousand: 0), settings: Self.settings,
            simulator: { $0.repositoryHosts = 2 }
        ) { fleet in
            let busy = FaultOrder(kind: .hostBusy, host: 0, seconds: 600, retryAfterSeconds: 2)
            try await fleet.simulator.take(busy)
            var dids: [Int: [String]] = [:]
            for try await repository in fleet.simulator.repositories() { dids[repository.host, default: []].append(repository.did) }
            try fleet.require(dids[0]?.isEmpty == false && dids[1]?.isEmpty == false, "all accounts are at one host")
            let list = { (host: Int) in (dids[host] ?? []).map { "'\($0)'" }.joined(separator: ",") }
            let otherCount = Int64(dids[1]?.count ?? 0)
            let (waiting, others) = ("did IN (\(list(0)))", "did IN (\(list(1)))")
            for arguments in [["ingest", "firehose"], ["worker"], ["ingest", "backfill"]] {
                _ = try await fleet.start(arguments.joined(separator: " "), arguments)
            }
            try await fleet.simulator.set(EventRate(eventsPerSecond: 30))
            try await fleet.step("the other host's repositories are fetched while this one asks for rest") {
                try await fleet.waitUntil("the other host's are done") { _ in try await fleet.jobs("\(others) AND state = 'done'") == otherCount }
                try await fleet.waitUntil("its jobs wait for it") { _ in
                    try await fleet.jobs("\(waiting) AND state = 'waiting' AND error LIKE '%is left alone%'") > 0
                }
                try fleet.require(fleet.simulator.faults.count(.hostBusy, host: 0) > 0, "nobody was answered 429")
                #expect(try await fleet.jobs("\(waiting) AND state = 'done'") == 0)
                let parked = "host = '\(fleet.simulator.addresses.repositoryHosts[0])' AND reason LIKE '%HTTP 429%'"
                #expect(try await FleetUnderTest.number(fleet.pool, "SELECT count(*) FROM weir.parked_hosts WHERE \(parked)") == 1)
                // In all that time each process asked it a few times, not for each of its repositories.
                #expect(fleet.simulator.faults.count(.hostBusy, host: 0) < 30)
            }
            try await fleet.step("it is well again") {
                var end = busy
                end.count = 0
                try await fleet.simulator.take(end)
                try await fleet.waitUntil("all are done") { _ in try await fleet.jobs("state = 'done'") == 60 }
            }
            #expect(try await fleet.jobs("failures > 0") == 0, "a host that asks for rest is nobody's failure")
            #expect(try await FleetUnderTest.number(fleet.pool, "SELECT count(*) FROM weir.parked_hosts") == 0)
            try await fleet.settleRepositories()
        }
    }
}
