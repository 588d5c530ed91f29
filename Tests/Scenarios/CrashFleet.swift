import Events
import Foundation
import PostgresClient
import Simulator
import TestSupport
import Testing

/// The processes of one scenario in which some are told to die or to stop, by name and in the order of their starts.
///
/// Leases are ``ScenarioLeases``. Waits end with the test's time limit, which ends the processes.
actor CrashFleet {
    nonisolated let fleet: FleetUnderTest
    private(set) var processes: [WeirProcess] = []
    private var alive: [String] = []

    init(_ fleet: FleetUnderTest) { self.fleet = fleet }

    /// Starts a role, told to die or stop where an order is given.
    func start(_ name: String, _ role: Role, _ order: CrashOrder? = nil) async throws -> WeirProcess {
        var environment = fleet.environment.merging(ScenarioLeases.settings) { _, new in new }
        if role == .worker { environment.merge(CrashSinks.settings) { _, new in new } }
        if role == .backfill { environment.merge(CrashBackfill.settings(fleet)) { _, new in new } }
        if let order { environment["WEIR_CRASH_POINT"] = "\(order)" }
        let process = try await WeirProcess.start(name, role.arguments, environment)
        processes.append(process)
        alive.append(name)
        // One that is ended before it has come up is ended by the signal itself, not in order.
        if role == .api || order == nil { try await process.line("listening") }
        return process
    }

    /// Ends a process in order.
    func end(_ process: WeirProcess) async throws {
        alive.removeAll { $0 == process.name }
        process.child.signal(SIGTERM)
        let status = try await process.exit()
        #expect(status == 0, "\(process.name) did not end in order:\n\(process.tail)")
    }

    /// Waits until a process has killed itself where it was told to; throws where it ended in another way, or before.
    func death(of process: WeirProcess, by order: CrashOrder) async throws {
        let status = try await process.exit()
        alive.removeAll { $0 == process.name }
        try #require(status == 128 + SIGKILL, "\(process.name) ended with \(status):\n\(process.tail)")
        try #require(process.child.output.contains(order.proof), "\(process.name) does not say where it died:\n\(process.tail)")
    }

    /// Kills all of them at the same moment, and waits for their ends.
    func killAll() async throws {
        let killed = processes.filter { alive.contains($0.name) }
        alive = []
        for process in killed { process.child.signal(SIGKILL) }
        for process in killed { _ = try await process.exit() }
    }

    func endAll() async throws {
        for process in processes.reversed() where alive.contains(process.name) { try await end(process) }
    }

    /// As ``FleetUnderTest/waitUntil(_:)``, and throws where the test's time is up.
    nonisolated func waitUntil(_ condition: @Sendable (PostgresPool) async throws -> Bool) async throws {
        try await fleet.waitUntil("what the scenario of crashes waits for", within: .seconds(180), condition)
        try Task.checkCancellation()
    }

    /// The last lines of every process, for a failure.
    var tails: String { processes.map { "--- \($0.name)\n\($0.tail)" }.joined(separator: "\n") }

    /// What a scenario throws gets the seed and the processes' last words.
    static func explaining(_ seed: TestSeed, _ fleet: FleetUnderTest, _ body: (CrashFleet) async throws -> Void) async throws {
        let crashes = CrashFleet(fleet)
        do {
            try await body(crashes)
        } catch {
            Issue.record("\(seed): \(error)\n\(await crashes.tails)")
            throw error
        }
    }

    enum Role {
        case ingester
        case backfill
        /// A worker of a fleet that fetches.
        case fetcher
        case worker
        case api

        /// The role that reaches a point.
        init(of point: CrashPoint) {
            switch point {
            case .ingestAfterOpenSession, .ingestAfterReadBeforeAppend, .ingestAfterAppend, .ingestAfterAppendBeforeCursor: self = .ingester
            case .backfillBeforePage, .backfillAfterPage, .backfillAfterFeedBeforeAppend: self = .backfill
            case .fetchMidArchive, .fetchBeforeClose, .fetchAfterClose: self = .fetcher
            case .workBeforeCommit, .workMidCopy, .workBeforeCommitSent, .workAfterCommitBeforeTrim: self = .worker
            case .outboxBeforePublish, .outboxAfterPublishBeforeMark, .sinkBeforeDeliver, .sinkAfterDeliverBeforeMark: self = .worker
            case .serveMidStream: self = .api
            }
        }

        var arguments: [String] {
            switch self {
            case .ingester: ["ingest", "firehose"]
            case .backfill: ["ingest", "backfill"]
            case .worker, .fetcher: ["worker"]
            case .api: ["api"]
            }
        }
    }
}

/// What the log says of a process, under whose name leases stand.
extension CrashFleet {
    /// All that is in the live log.
    nonisolated var logged: Int64 {
        get async throws {
            try await FleetUnderTest.number(fleet.pool, "SELECT coalesce(sum(last_seq), 0)::bigint FROM weir.runs WHERE kind = 'firehose'")
        }
    }

    /// The last seq of each shard that the process owns.
    nonisolated func seqs(ownedBy process: WeirProcess) async throws -> [Int32: Int64] {
        try await Self.seqs(fleet.pool, "s.owner LIKE '\(process.ownerPattern)'")
    }

    /// Waits until every one of the shards has got further than that, in the hands of another process.
    nonisolated func waitUntilPassed(_ seqs: [Int32: Int64], without process: WeirProcess) async throws {
        try await waitUntil { pool in
            let others = try await Self.seqs(pool, "s.owner NOT LIKE '\(process.ownerPattern)'")
            return seqs.allSatisfy { others[$0.key, default: 0] > $0.value }
        }
    }

    /// Waits until the log has got further by that many events from now on.
    nonisolated func waitUntilAdvanced(by events: Int64) async throws {
        let before = try await logged
        try await waitUntil { _ in try await logged >= before + events }
    }

    /// Waits until the process reads every relay.
    nonisolated func waitUntilReading(_ process: WeirProcess) async throws {
        let relays = Int64(fleet.simulator.addresses.relayURLs.count)
        try await waitUntil { pool in
            let owned = "SELECT count(*) FROM weir.upstreams WHERE owner LIKE '\(process.ownerPattern)' AND expires_at > clock_timestamp()"
            return try await FleetUnderTest.number(pool, owned) == relays
        }
    }

    /// Stops the source, and waits until everything that was sent is in the log.
    nonisolated func waitUntilAllIsLogged() async throws -> ExpectedLog {
        try await fleet.simulator.set(.paused)
        while try await !fleet.simulator.status().quiescent { await Task.yield() }
        let expected = try fleet.expected()
        try await waitUntil { try await $0.loggedEvents() >= expected.count }
        return expected
    }

    private static func seqs(_ pool: PostgresPool, _ condition: String) async throws -> [Int32: Int64] {
        let rows = try await pool.query(
            "SELECT s.shard, r.last_seq FROM weir.shards s JOIN weir.runs r ON r.id = 'firehose/' || s.shard WHERE \(condition)")
        var seqs: [Int32: Int64] = [:]
        for row in rows { seqs[try row.value(0, as: Int32.self)] = try row.value(1, as: Int64.self) }
        return seqs
    }
}

extension CrashOrder {
    /// What the process writes before.
    var proof: String { "crash point \(point.rawValue) reached (\(count)): \(action.signalName)" }
}

extension WeirProcess {
    /// How its leases' owner is written, as a pattern of SQL: it holds the process id.
    var ownerPattern: String { "%-\(child.processID ?? -1)-%" }

    var tail: String { child.output.split(separator: "\n", omittingEmptySubsequences: false).suffix(25).joined(separator: "\n") }

    /// Waits for its end; a cancelled wait ends it.
    func exit() async throws -> Int32 {
        let status = await withTaskCancellationHandler {
            await child.waitForExit()
        } onCancel: {
            child.signal(SIGKILL)
        }
        try Task.checkCancellation()
        return status
    }

    /// Waits for a line of its output; throws where it ends without one. A cancelled wait ends it.
    func line(_ text: String) async throws {
        let isThere = await withTaskCancellationHandler {
            await child.waitForLine(containing: text)
        } onCancel: {
            child.signal(SIGKILL)
        }
        try Task.checkCancellation()
        if !isThere { throw TestSupportError("\(name) ended without \"\(text)\":\n\(tail)") }
    }

    /// Whether the kernel has it stopped.
    var isStopped: Bool {
        guard let id = child.processID, let text = try? String(contentsOfFile: "/proc/\(id)/stat", encoding: .utf8) else { return false }
        // "pid (name) state …": the name may hold anything.
        return text.split(separator: ")").last?.split(separator: " ").first == "T"
    }
}
