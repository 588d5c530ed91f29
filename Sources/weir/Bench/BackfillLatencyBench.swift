import Fleet
import Foundation
import PostgresClient
import Simulator

/// What a backfill costs the events that are live: the latency of commits at a steady rate while repositories are fetched flat out, beside that of the same
/// fleet, the same accounts and the same rate without it.
///
/// The accounts that commit are fetched before anything is measured: commits of one that is being fetched wait for its snapshot, however fast a fleet is.
struct BackfillLatencyBench: BenchPart {
    static let name = "backfill-latency"

    private static let commitsPerSecond = 500.0
    private static let acting = 500
    private static let warmUpSeconds = 3

    private struct Outcome: Sendable {
        var alone: Percentiles
        var beside: Percentiles
        var fetched: Int
        var seconds: Int
        var lost: Int
    }

    static func rows(_ context: BenchContext) async throws -> [BenchRow] {
        let accounts = context.isFull ? 20_000 : 8_000
        let seconds = context.isFull ? 30 : 12
        let content = ContentConfiguration(
            initialRecordsMax: 200, identityPerThousand: 0, accountPerThousand: 0, syncPerThousand: 0, activitySkew: 1, actingAccounts: acting)
        var network = SimulatorConfiguration(
            seed: UInt64(context.configuration.simulatorSeed), accounts: accounts, rate: .paused, content: content,
            relays: [RelayConfiguration(name: "relay-1")])
        network.repositoryHosts = 4
        let watch = CommitWatch()
        let simulator = try await SimulatorService.prepare(configuration: network, logger: context.log) { did, rev in watch.sent(did, rev) }
        var dids: [String] = []
        for try await repository in simulator.repositories() {
            dids.append(repository.did)
            if dids.count.isMultiple(of: 100) { context.progress.show("making repositories", dids.count, accounts) }
        }
        let made = dids
        let outcome = try await BenchLab.run(context) { servers in
            try await measure(servers, simulator, watch, made, seconds: seconds, context)
        }
        guard outcome.alone.count > 0, outcome.beside.count > 0 else { throw Failure("no commit arrived") }
        return [row(outcome)]
    }

    private static func row(_ outcome: Outcome) -> BenchRow {
        func text(_ latencies: Percentiles) -> String {
            "p50 \(BenchTable.number(latencies.at(0.5))), p99 \(BenchTable.number(latencies.at(0.99))), max \(BenchTable.number(latencies.max)) ms"
        }
        return BenchRow(
            name: "p99 at 500 commits/s, socket to SSE client, beside a backfill: times that without it",
            figure: outcome.beside.at(0.99) / outcome.alone.at(0.99), unit: "x", bar: .atMost(2),
            note: """
                without it \(text(outcome.alone)); beside it \(text(outcome.beside)), while \(outcome.fetched) repositories were fetched in \
                \(outcome.seconds) s\(outcome.lost > 0 ? "; \(outcome.lost) commits without an event" : ""); a process a role, hosts on the same cores
                """)
    }

    private static func measure(
        _ servers: BenchLab.Servers, _ simulator: SimulatorService, _ watch: CommitWatch, _ dids: [String], seconds: Int, _ context: BenchContext
    ) async throws -> Outcome {
        let file = "\(servers.folder)/wanted.txt"
        try write(dids.prefix(acting), to: file)
        var (configuration, client) = try RoleFleet.configuration(
            servers, relayURL: simulator.addresses.relayURLs[0], directoryURL: simulator.addresses.directoryURL)
        for (key, value) in [
            ("repos.scope", "chosen"), ("repos.file", file), ("allow_private_hosts", "true"), ("fetch.host_rate", "100000"),
            ("fetch.host_concurrency", "8"), ("fetch.concurrency", "16"),
        ] { try configuration.set(key, to: value, by: "weir bench") }
        let (ready, api) = (configuration, client)
        return try await FleetProcesses.run(ready, folder: servers.folder) { processes in
            try await withThrowingTaskGroup(of: Outcome?.self) { group in
                group.addTask {
                    try await simulator.run()
                    return nil
                }
                group.addTask {
                    try await EventFeed(api).run { watch.arrived($0.did, $0.rev) }
                    return nil
                }
                group.addTask {
                    let fetched = try await FetchedCount(ready)
                    try await RoleFleet.start(processes, api)
                    _ = try await processes.start(["ingest", "backfill"])
                    try await fetched.wait(for: acting, of: acting, context.progress)
                    try await simulator.set(EventRate(eventsPerSecond: commitsPerSecond))
                    let alone = try await latencies(watch, seconds: seconds, "steady rate", context)
                    try write(dids[...], to: file)
                    try await fetched.wait(for: acting + 300, of: dids.count, context.progress)
                    let before = try await fetched.now()
                    let beside = try await latencies(watch, seconds: seconds, "steady rate beside a backfill", context)
                    let after = try await fetched.now()
                    guard after < dids.count else { throw Failure("the backfill ended before the measurement did") }
                    try await simulator.set(.paused)
                    return Outcome(
                        alone: alone.latencies, beside: beside.latencies, fetched: after - before, seconds: seconds + warmUpSeconds,
                        lost: alone.lost + beside.lost)
                }
                defer { group.cancelAll() }
                while let ended = try await group.next() {
                    if let outcome = ended { return outcome }
                }
                throw CancellationError()
            }
        }
    }

    private static func write(_ dids: ArraySlice<String>, to path: String) throws {
        try dids.map { $0 + "\n" }.joined().write(toFile: path, atomically: true, encoding: .utf8)
    }

    private static func latencies(
        _ watch: CommitWatch, seconds: Int, _ what: String, _ context: BenchContext
    ) async throws -> (latencies: Percentiles, lost: Int) {
        for second in 0..<warmUpSeconds + seconds {
            if second == warmUpSeconds { watch.begin() }
            context.progress.show(what, second, warmUpSeconds + seconds)
            try await Task.sleep(for: .seconds(1))
        }
        watch.end()
        // What is under way still counts.
        for _ in 0..<60 where watch.waiting > 0 { try await Task.sleep(for: .milliseconds(50)) }
        return (watch.latencies, watch.waiting)
    }
}

/// Repositories that a fleet has fetched and logged, read from its ledger.
struct FetchedCount: Sendable {
    private let connection: PostgresConnection
    private let schema: String

    init(_ configuration: FleetConfiguration) async throws {
        connection = try await PostgresConnection.connect(
            try PostgresConfiguration(url: configuration.postgresURL ?? "", applicationName: "weir bench"))
        schema = configuration.postgresSchema
    }

    func now() async throws -> Int {
        let rows = try await connection.query("SELECT count(*) FROM \(schema).backfill_jobs WHERE state = 'done'")
        return Int(try rows[0].value(0, as: Int64.self))
    }

    func wait(for count: Int, of total: Int, _ progress: SharedProgress) async throws {
        let deadline = ContinuousClock.now + .seconds(180)
        while true {
            let done = try await now()
            progress.show("fetching repositories", done, total)
            if done >= count { return }
            guard ContinuousClock.now < deadline else { throw Failure("\(done) of \(count) repositories were fetched within three minutes") }
            try await Task.sleep(for: .milliseconds(200))
        }
    }
}
