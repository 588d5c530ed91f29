import Simulator
import TestSupport
import Testing

/// Faults drawn by the seed, one after the other in one fleet: their order is in the failure's message, and the seed brings it again.
@Suite("Whole fleet: faults drawn by a seed")
struct RandomFaultsTests {
    private enum Fault: CaseIterable {
        case redisEmptied, redisFull, postgresKilled, workerKilled, ingesterKilled, apiKilled
        case relayGone, cuts, refusals, badFrames, badCommits, disorder
    }

    private static let drawn = 6
    private static let content = ContentConfiguration(initialRecordsMax: 200, accountPerThousand: 0, syncPerThousand: 0)

    @Test("log and client have everything, once, in order, after six faults that a seed drew", .timeLimit(.minutes(5)))
    func drawn() async throws {
        let seed = TestSeed("faults by seed")
        let settings = ["WEIR_WORKER_PREDECESSOR_WAIT": "60s"]
        try await FleetUnderTest.run(seed: seed.value, content: Self.content, settings: settings) { fleet in
            var random = seed.generator()
            let faults = Fault.allCases.shuffled(using: &random).prefix(Self.drawn)
            fleet.journal.note("drawn: \(faults.map { "\($0)" }.joined(separator: ", "))")
            var roles = Roles(
                ingester: try await fleet.start("ingest", "ingest", "firehose"), api: try await fleet.start("api", "api"),
                workers: [try await fleet.start("worker 1", "worker"), try await fleet.start("worker 2", "worker")])
            let client = fleet.client()
            try await fleet.simulator.set(EventRate(eventsPerSecond: 80))
            try await fleet.progress()
            for fault in faults { try await Self.inject(fault, fleet, &roles, relay: Int.random(in: 0...1, using: &random)) }
            try await fleet.step("log = record = client") { try await fleet.settle() }
            #expect(client.connections >= 1)
            for process in roles.workers + [roles.ingester, roles.api] { try await fleet.end(process) }
        }
    }

    private struct Roles {
        var ingester: WeirProcess
        var api: WeirProcess
        var workers: [WeirProcess]
    }

    private static func inject(_ fault: Fault, _ fleet: FleetUnderTest, _ roles: inout Roles, relay: Int) async throws {
        switch fault {
        case .redisEmptied: try await fleet.redisEmptied()
        case .redisFull: try await fleet.redisFull(ingester: roles.ingester)
        case .postgresKilled: try await fleet.postgresKilled()
        case .workerKilled: roles.workers[0] = try await fleet.killed(roles.workers[0], "worker")
        case .ingesterKilled: roles.ingester = try await fleet.killed(roles.ingester, "ingest", "firehose")
        case .apiKilled: roles.api = try await fleet.killed(roles.api, "api")
        case .relayGone: try await fleet.relayGone(relay) { try await fleet.progress() }
        case .cuts: try await fleet.connectionFaults([(.cutMidFrame, relay, []), (.errorFrame, 1 - relay, ["error_frame"])])
        case .refusals: try await fleet.refusedConnects(.refuse429, relay: relay)
        case .badFrames:
            try await fleet.refusedFault(.malformedFrame, relay: relay, count: 2, as: "malformedMessage")
            try await fleet.silentFault(.unknownType, relay: relay, count: 2)
        case .badCommits:
            try await fleet.refusedFault(.badSignature, relay: relay, count: 1, as: "badSignature")
            try await fleet.refusedFault(.futureRev, relay: relay, count: 1, as: "futureRev")
        case .disorder:
            try await fleet.silentFault(.duplicate, relay: relay, count: 10)
            try await fleet.silentFault(.reorder, relay: relay, count: 10, atLeast: 2)
            try await fleet.silentFault(.dropCommit, relay: relay, count: 5)
        }
    }
}
