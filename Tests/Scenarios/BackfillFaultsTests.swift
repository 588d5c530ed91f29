import Foundation
import PostgresClient
import RedisClient
import Simulator
import TestSupport
import Testing

@Suite("Whole fleet: repositories are fetched while everything fails")
struct BackfillFaultsTests {
    /// Archives that no consumer may believe, each served once.
    private static let lies: [FaultKind] = [
        .carWrongDigest, .carMissingNode, .carMissingRecord, .carCycle, .carRepeatedSubtree, .carKeysOutOfOrder, .carWrongLayer, .carWrongSignature,
        .carWrongDID, .carTruncated, .carGiantVarint, .carTrailingGarbage,
    ]

    @Test(
        "hosts lie, hang, cut and refuse, a fetcher dies, Redis is emptied, accounts move, rotate, fork and begin anew: the log ends as the repositories",
        .timeLimit(.minutes(8)))
    func faults() async throws {
        let seed = TestSeed("backfill faults")
        let settings = FleetUnderTest.tracksEverything.merging(ScenarioLeases.settings) { a, _ in a }
            .merging(["WEIR_BACKFILL_QUEUE_HIGH_WATER": "20", "WEIR_WORKER_PREDECESSOR_WAIT": "1s"]) { $1 }
        try await FleetUnderTest.run(
            seed: seed.value, accounts: 150, content: ContentConfiguration(initialRecordsMax: 60, accountPerThousand: 0), settings: settings,
            simulator: { $0.repositoryHosts = 3 }
        ) { fleet in
            for lie in Self.lies { try await fleet.simulator.take(FaultOrder(kind: lie)) }
            try await fleet.simulator.take(FaultOrder(kind: .hostHang, host: 0))
            try await fleet.simulator.take(FaultOrder(kind: .hostCut, host: 1, count: 2))
            try await fleet.simulator.take(FaultOrder(kind: .hostBusy, host: 2, seconds: 4, retryAfterSeconds: 2))
            _ = try await fleet.start("ingest", "ingest", "firehose")
            let victim = try await fleet.start("worker to die", ["worker"], settings: ["WEIR_CRASH_POINT": "fetch.mid-archive:kill:20"])
            _ = try await fleet.start("worker 2", "worker")
            _ = try await fleet.start("backfill", "ingest", "backfill")
            try await fleet.simulator.set(EventRate(eventsPerSecond: 60))

            try await fleet.step("a fetcher dies in the middle of an archive") {
                #expect(await victim.child.waitForExit() == 128 + SIGKILL)
                try fleet.require(victim.child.output.contains("crash point fetch.mid-archive reached"), "it died of something else")
                _ = try await fleet.start("worker 3", "worker")
            }
            try await fleet.step("Redis is emptied while jobs are queued") {
                try await RedisProbe.with(fleet) { redis in
                    try await fleet.waitUntil("jobs are queued") { _ in
                        try await redis.client.send(RedisCommand("XLEN", "repo_backfill")).integer() > 0
                    }
                    _ = try await redis.client.send(RedisCommand("FLUSHALL"))
                }
            }
            try await Self.lives(fleet)
            try await fleet.step("every lie was told, and every host failed") {
                try await fleet.waitUntil("all faults were met", within: .seconds(120)) { _ in
                    (Self.lies + [.hostHang, .hostCut, .hostBusy]).allSatisfy { fleet.simulator.faults.byName[$0.rawValue] ?? 0 > 0 }
                }
            }
            try await fleet.settleRepositories(within: .seconds(180))
            #expect(try await FleetUnderTest.number(fleet.pool, "SELECT count(*) FROM weir.dead_letters") == 0)
        }
    }

    /// What becomes of accounts, each told of by the network itself; a commit follows where nothing else would show it.
    private static func lives(_ fleet: FleetUnderTest) async throws {
        let dids = await fleet.simulator.dids
        try await fleet.step("accounts move, rotate keys, fork, begin anew, go and return") {
            let orders: [(FaultKind, Int)] = [
                (.migrate, 3), (.migrate, 4), (.rotateKey, 5), (.fork, 6), (.fork, 7), (.rebase, 8), (.rebaseOther, 9), (.syncDivergence, 10),
                (.accountDeactivate, 11), (.accountDelete, 12), (.accountTakedown, 13),
            ]
            // What forks has commits to lose.
            let before = 3
            for account in 3...13 { try await fleet.simulator.take(FaultOrder(kind: .write, did: dids[account], count: before)) }
            let written = { @Sendable in fleet.simulator.faults.byName[FaultKind.write.rawValue] ?? 0 }
            try await fleet.waitUntil("each has written", within: .seconds(60)) { _ in written() >= 11 * before }
            for (kind, account) in orders { try await fleet.simulator.take(FaultOrder(kind: kind, did: dids[account], depth: 2)) }
            let met = { @Sendable (kind: FaultKind) in fleet.simulator.faults.byName[kind.rawValue] ?? 0 > 0 }
            try await fleet.waitUntil("each of it happened: not yet \(orders.filter { !met($0.0) }.map(\.0.rawValue))", within: .seconds(60)) { _ in
                orders.allSatisfy { met($0.0) }
            }
            for account in 11...13 { try await fleet.simulator.take(FaultOrder(kind: .accountReturn, did: dids[account])) }
            for account in 3...13 { try await fleet.simulator.take(FaultOrder(kind: .write, did: dids[account])) }
            try await fleet.waitUntil("accounts returned and wrote", within: .seconds(60)) { _ in
                met(.accountReturn) && written() >= 11 * (before + 1)
            }
        }
    }
}
