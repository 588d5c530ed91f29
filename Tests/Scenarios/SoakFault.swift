import Foundation
import PostgresClient
import Simulator
import TestSupport

/// The faults that a half hour of a soak may bring. Each is injected into a running fleet, proven to have happened, and followed by progress.
enum SoakFault: String, CaseIterable, Sendable {
    case redisEmptied, redisKilled, redisFull, postgresKilled
    case workerKilled, workerStopped, ingesterKilled, ingesterStopped, apiKilled
    case relayGone, relayCuts, relayRefuses, badFrames, badCommits, disorder

    /// So many of them, each kind once before any comes again; the same for the same generator.
    static func drawn(_ count: Int, using random: inout SeededGenerator) -> [SoakFault] {
        var drawn: [SoakFault] = []
        while drawn.count < count { drawn += allCases.shuffled(using: &random) }
        return Array(drawn.prefix(count))
    }
}

extension SoakFleet {
    mutating func inject(_ fault: SoakFault, using random: inout SeededGenerator) async throws {
        let relay = Int.random(in: 0...1, using: &random)
        switch fault {
        case .redisEmptied: try await fleet.redisEmptied()
        case .redisKilled: try await fleet.redisKilled()
        case .redisFull: try await fleet.redisFull(ingester: try await reader())
        case .postgresKilled: try await fleet.postgresKilled()
        case .workerKilled: try await replaceWorker()
        case .workerStopped: try await fleet.stoppedPastLease(Bool.random(using: &random) ? veterans.worker : worker, owning: "shards")
        case .ingesterKilled: try await replaceIngester()
        case .ingesterStopped: try await fleet.stoppedPastLease(try await reader(), owning: "upstreams")
        case .apiKilled: try await replaceAPI()
        case .relayGone: try await fleet.relayGone(relay) { [fleet] in try await fleet.progress() }
        case .relayCuts: try await fleet.connectionFaults([(.cutMidFrame, relay, []), (.errorFrame, 1 - relay, ["error_frame"])])
        case .relayRefuses: try await fleet.refusedConnects(Bool.random(using: &random) ? .refuse429 : .refuse503, relay: relay)
        case .badFrames:
            try await fleet.refusedFault(.malformedFrame, relay: relay, count: 2, as: "malformedMessage")
            try await fleet.silentFaults(relay, [(.unknownType, 2, nil), (.unknownOp, 2, nil)])
        case .badCommits:
            try await fleet.refusedFault(.badSignature, relay: relay, count: 1, as: "badSignature")
            try await fleet.refusedFault(.wrongPrevData, relay: relay, count: 1, as: "badInversion")
            try await fleet.refusedFault(.futureRev, relay: relay, count: 1, as: "futureRev")
        case .disorder: try await fleet.silentFaults(relay, [(.duplicate, 10, nil), (.reorder, 10, 1), (.dropCommit, 5, nil)])
        }
    }
}

extension FleetUnderTest {
    /// Rows of `shards` or `upstreams` that a process owns by a lease that has not run out.
    func owned(_ table: String, by process: WeirProcess) async throws -> Int64 {
        let sql = "SELECT count(*) FROM weir.\(table) WHERE owner LIKE '\(process.ownerPattern)' AND expires_at > clock_timestamp()"
        return try await Self.number(pool, sql)
    }

    /// Redis dies and comes back with nothing.
    func redisKilled() async throws {
        try await step("Redis killed and started again, empty") {
            let before = try await RedisProbe.with(self) { try await $0.info("server", "process_id:") }
            await redis.kill()
            let sent = simulator.record.eventCount
            try await waitUntil("the network goes on") { _ in simulator.record.eventCount >= sent + 20 }
            try await redis.start()
            let after = try await RedisProbe.with(self) { try await $0.info("server", "process_id:") }
            try require(after != before, "Redis is still process \(before)")
            try await progress()
        }
    }

    /// A process is stopped until others own all that it owned, then woken: it has to live on, as one that owns nothing or what it takes anew.
    func stoppedPastLease(_ process: WeirProcess, owning table: String) async throws {
        try await step("\(process.name) stopped past its lease, then woken") {
            let others = "SELECT count(*) FROM weir.\(table) WHERE owner NOT LIKE '\(process.ownerPattern)' AND expires_at > clock_timestamp()"
            try await waitUntil("\(process.name) owns \(table)") { _ in try await owned(table, by: process) > 0 }
            process.child.signal(SIGSTOP)
            defer { process.child.signal(SIGCONT) }
            try await waitUntil("others own all \(table)") { pool in
                try await Self.number(pool, others) == Self.number(pool, "SELECT count(*) FROM weir.\(table)")
            }
            try require(process.isStopped, "\(process.name) was not stopped all the while")
            try await progress()
            process.child.signal(SIGCONT)
            try await progress()
            try require(!process.child.hasExited, "\(process.name) ended when it was woken")
        }
    }
}
