import Events
import Foundation
import PostgresClient
import RedisClient
import Synchronization
import TestSupport
import Testing

/// Applications append and clients follow, over HTTP, while what is between them fails.
@Suite("Whole fleet: runs and their clients")
struct ClientFaultsTests {
    @Test(
        "each client has what was appended, once and in order, though publishers are killed and stopped, outlets are lost, and clients come and go",
        .timeLimit(.minutes(5)))
    func faults() async throws {
        let seed = TestSeed("clients")
        let settings = ["WEIR_OUTLET_KEEP_ENTRIES": "200"]
        try await FleetUnderTest.run(seed: seed.value, shards: 2, accounts: 2, settings: settings) { fleet in
            try await CrashFleet.explaining(seed, fleet) { crashes in
                try await Self.scenario(seed, crashes)
            }
        }
    }

    private static let runs = (1...3).map { "orders/\($0)" }

    private static func scenario(_ seed: TestSeed, _ crashes: CrashFleet) async throws {
        let fleet = crashes.fleet
        let record = RunRecord()
        let clients = RunClients(port: fleet.apiPort, record: record)
        let appender = RunAppender(port: fleet.apiPort, record: record)
        _ = try await crashes.start("worker", .worker)
        _ = try await crashes.start("api", .api)
        for run in runs { try await appender.create(run) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for run in runs {
                for wire in [RunStream.Wire.sse, .webSocket] {
                    let name = "a follower over \(wire)"
                    group.addTask { _ = try await RunClients.onThread { try clients.follow(run, wire: wire, name: name) } }
                }
            }
            try await feeding(appender, seed) { try await underLoad(clients, crashes, seed) }
            try await fleet.step("runs end") { try await endRuns(clients, appender) }
            try await group.waitForAll()
        }
        try await compare(seed, crashes, record)
        try await crashes.endAll()
    }

    private static func underLoad(_ clients: RunClients, _ crashes: CrashFleet, _ seed: TestSeed) async throws {
        var generator = seed.generator()
        try await crashes.fleet.step("publishers are killed") { try await killPublishers(crashes, &generator) }
        try await crashes.fleet.step("publishers are stopped and woken") { try await stopPublishers(crashes, &generator) }
        try await crashes.fleet.step("a thousand reconnects, with outlets that are lost") { try await reconnect(clients, crashes.fleet, seed) }
    }

    /// Two appenders feed each run while the body runs.
    private static func feeding(_ appender: RunAppender, _ seed: TestSeed, _ body: () async throws -> Void) async throws {
        let stop = Flag()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, run) in runs.enumerated() {
                for second in 0..<2 {
                    group.addTask { try await appender.feed(run, seed: seed.value &+ UInt64(index * 2 + second)) { stop.isSet } }
                }
            }
            defer { stop.set() }
            try await body()
            stop.set()
            try await group.waitForAll()
        }
    }

    /// The victim shares the runs with another worker, and dies around the write to an outlet; the other one takes over.
    private static func killPublishers(_ crashes: CrashFleet, _ generator: inout SeededGenerator) async throws {
        for point in [CrashPoint.outboxAfterPublishBeforeMark, .outboxBeforePublish, .outboxAfterPublishBeforeMark] {
            let order = CrashOrder(point, count: Int.random(in: 3...12, using: &generator))
            let victim = try await crashes.start("worker to die at \(order)", .worker, order)
            try await crashes.death(of: victim, by: order)
            try await waitUntilTakenOver(crashes, from: victim)
        }
    }

    /// The zombie is stopped with claims in its hands, and woken when another worker is past them: what it writes and marks then is refused.
    private static func stopPublishers(_ crashes: CrashFleet, _ generator: inout SeededGenerator) async throws {
        for point in [CrashPoint.outboxAfterPublishBeforeMark, .outboxBeforePublish] {
            let order = CrashOrder(point, .stop, count: Int.random(in: 3...12, using: &generator))
            let zombie = try await crashes.start("worker to stop at \(order)", .worker, order)
            try await zombie.line(order.proof)
            try await waitUntilTakenOver(crashes, from: zombie)
            #expect(zombie.isStopped, "\(zombie.name) was not stopped all the while")
            zombie.child.signal(SIGCONT)
            // Its mark finds another token; or, where its write was refused as well, it sees that its lease is over.
            try await crashes.waitUntil { _ in
                ["another publisher took over", "publisher's lease ran out"].contains { zombie.child.output.contains($0) }
            }
            try await crashes.end(zombie)
        }
    }

    /// Waits until nothing that a process had claimed is in its hands, and each such run is published further than it knew of.
    private static func waitUntilTakenOver(_ crashes: CrashFleet, from process: WeirProcess) async throws {
        let held =
            "SELECT r.id, o.tail_seq FROM weir.run_outbox o JOIN weir.runs r ON r.no = o.run WHERE o.sink = 'outlet' AND o.owner LIKE '\(process.ownerPattern)'"
        var claimed: [String: Int64] = [:]
        for row in try await crashes.fleet.pool.query(held) { claimed[try row.value(0, as: String.self)] = try row.value(1, as: Int64.self) }
        let left = claimed
        try await crashes.waitUntil { pool in
            let rows = try await pool.query(
                "SELECT r.id, o.next_seq, coalesce(o.owner, '') LIKE '\(process.ownerPattern)' FROM weir.run_outbox o JOIN weir.runs r ON r.no = o.run WHERE o.sink = 'outlet'"
            )
            return try rows.allSatisfy { row in
                guard let tail = left[try row.value(0, as: String.self)] else { return true }
                return try row.value(1, as: Int64.self) > tail + 1 && !row.value(2, as: Bool.self)
            }
        }
    }

    /// Eight clients connect 1,000 times, while each run's outlet is deleted again and again.
    private static func reconnect(_ clients: RunClients, _ fleet: FleetUnderTest, _ seed: TestSeed) async throws {
        let redis = RedisClient(try RedisConfiguration(url: fleet.redis.url))
        let deleted = try await withThrowingTaskGroup(of: Int64.self) { group in
            for client in 0..<8 {
                group.addTask {
                    var deleted: Int64 = 0
                    for part in 0..<5 {
                        try await RunClients.onThread {
                            try clients.comeAndGo(
                                runs, times: 25, name: "client \(client), part \(part)", seed: seed.value &+ UInt64(client * 5 + part) &+ 1000)
                        }
                        let run = runs[(client + part) % runs.count]
                        deleted += try await redis.send(RedisCommand("UNLINK", .string("run:{\(run)}")), timeout: .seconds(30)).integer()
                    }
                    return deleted
                }
            }
            return try await group.reduce(0, +)
        }
        await redis.shutDown()
        fleet.journal.note("1,000 reconnects at random seqs; \(deleted) times an outlet was deleted")
        try #require(deleted > 10, "outlets were deleted \(deleted) times")
    }

    /// In the instant of each run's end twelve clients come.
    private static func endRuns(_ clients: RunClients, _ appender: RunAppender) async throws {
        for run in runs {
            let last = clients.record.last(of: run)
            try await withThrowingTaskGroup(of: Int64?.self) { group in
                for index in 0..<12 {
                    let from = index < 8 ? last : max(0, last - Int64(index))
                    group.addTask {
                        try await RunClients.onThread {
                            try clients.end(run, behind: from, wire: index % 2 == 0 ? .sse : .webSocket, name: "client \(index) at the end")
                        }
                    }
                }
                group.addTask {
                    try await appender.finish(run)
                    return nil
                }
                for try await seq in group {
                    if let seq, seq != last + 1 { clients.record.complain("\(run): a client ended at \(seq), not \(last + 1)") }
                }
            }
            try await appender.appendBehindEnd(run)
        }
    }

    /// The log, and what each client got, against what the appends were answered.
    private static func compare(_ seed: TestSeed, _ crashes: CrashFleet, _ record: RunRecord) async throws {
        let fleet = crashes.fleet
        var differences: [String] = []
        for run in runs {
            let contents = record.contents(of: run)
            let rows = try await fleet.pool.query(
                "SELECT e.seq, (e.body::jsonb ->> 'n')::bigint FROM weir.run_events e JOIN weir.runs r ON r.no = e.run WHERE r.id = '\(run)' ORDER BY e.seq"
            )
            let logged = try rows.map { (try $0.value(0, as: Int64.self), try $0.optional(1, as: Int64.self)) }
            if logged.map(\.0) != contents.indices.map({ Int64($0) + 1 }) {
                differences.append("\(run): the log's seqs are not 1 to \(contents.count)")
            }
            if logged.map(\.1) != contents { differences.append("\(run): the log is not what was appended") }
            differences += record.differences(run)
        }
        differences += record.complaints
        let tails = await crashes.tails
        #expect(differences.isEmpty, "\(seed)\n\(differences.prefix(40).joined(separator: "\n"))\n\(tails)")
        fleet.journal.note("log = record = clients: \(record.events) events, \(record.deliveries) deliveries")
    }
}

/// Something that is so from a moment on.
private final class Flag: Sendable {
    private let value = Atomic(false)
    var isSet: Bool { value.load(ordering: .relaxed) }
    func set() { value.store(true, ordering: .relaxed) }
}
