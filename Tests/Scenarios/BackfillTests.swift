import Foundation
import PostgresClient
import Simulator
import TestSupport
import Testing

@Suite("Whole fleet: repositories are fetched")
struct BackfillTests {
    @Test(
        "a network is enumerated, fetched and followed live by three workers, one of them killed: what the log says is what each repository holds",
        .timeLimit(.minutes(6)))
    func backfill() async throws {
        let seed = TestSeed("backfill")
        let accounts = 400
        try await FleetUnderTest.run(
            seed: seed.value, accounts: accounts, settings: FleetUnderTest.tracksEverything.merging(ScenarioLeases.settings) { a, _ in a },
            simulator: { $0.repositoryHosts = 3 }
        ) { fleet in
            _ = try await fleet.start("ingest", "ingest", "firehose")
            var workers: [WeirProcess] = []
            for number in 1...3 { workers.append(try await fleet.start("worker \(number)", "worker")) }
            try await fleet.waitUntil("three workers own shards") { pool in
                try await FleetUnderTest.number(pool, "SELECT count(DISTINCT owner) FROM weir.shards WHERE owner IS NOT NULL") == 3
            }
            try await fleet.simulator.set(EventRate(eventsPerSecond: 100))
            _ = try await fleet.start("backfill", "ingest", "backfill")
            try await fleet.waitUntil("a third is fetched") { _ in try await fleet.jobs("state = 'done'") >= Int64(accounts / 3) }
            let doneAtKill = try await fleet.jobs("state = 'done'")
            try fleet.require(doneAtKill < accounts, "all was fetched before a worker was killed: the fault would prove nothing")
            _ = await workers[0].end(SIGKILL)
            try await fleet.waitUntil("each repository was fetched once") { _ in
                try await fleet.jobs("attempt > 0 AND state IN ('done', 'refused')") >= Int64(accounts)
            }
            try await fleet.settleRepositories()
            #expect(try await FleetUnderTest.number(fleet.pool, "SELECT count(*) FROM weir.run_events WHERE kind = 'record' AND NOT live") > 0)
            #expect(try await FleetUnderTest.number(fleet.pool, "SELECT coalesce(sum(count), 0)::bigint FROM weir.refused_counts") == 0)
            let run = "backfill/\(fleet.simulator.addresses.relays[0])"
            try await fleet.waitUntil("its run has ended") { pool in
                try await FleetUnderTest.number(pool, "SELECT count(*) FROM weir.runs WHERE id = '\(run)' AND state = 'finished'") == 1
            }
        }
    }
}
