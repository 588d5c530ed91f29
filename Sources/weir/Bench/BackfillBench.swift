import Fleet
import Foundation
import PostgresClient
import Serve
import Simulator

/// How many small repositories a second a whole fleet enumerates, fetches, verifies and logs: all roles, Redis, Postgres, and the simulated hosts with
/// the making of their archives, share this machine's cores.
struct BackfillBench: BenchPart {
    static let name = "backfill"

    private struct Outcome: Sendable {
        var seconds: Double
        var repositories: Int64
        var records: Int64
        var bytes: Int64
        var failures: Int64
    }

    /// Of the largest; sizes fall by the cube of the rank, so a quarter of it is the mean: 50 records.
    private static let recordsMax = 200

    static func rows(_ context: BenchContext) async throws -> [BenchRow] {
        let accounts = context.isFull ? 20_000 : 4_000
        var network = SimulatorConfiguration(
            seed: UInt64(context.configuration.simulatorSeed), accounts: accounts, rate: .paused,
            content: ContentConfiguration(initialRecordsMax: recordsMax), relays: [RelayConfiguration(name: "relay-1")])
        network.repositoryHosts = 4
        let simulator = try await SimulatorService.prepare(configuration: network, logger: context.log)
        var made = 0
        for try await _ in simulator.repositories() {
            made += 1
            if made.isMultiple(of: 100) { context.progress.show("making repositories", made, accounts) }
        }
        let outcome = try await BenchLab.run(context) { servers in try await measure(servers, simulator, accounts: accounts, context) }
        let cores = ProcessInfo.processInfo.activeProcessorCount
        let note = """
            \(outcome.repositories) repositories with \(outcome.records) records in \(BenchTable.number(outcome.seconds)) s, \
            \(BenchTable.number(Double(outcome.bytes) / 1e6)) MB of archives, \(outcome.failures) attempts failed; hosts and directory on the same cores
            """
        return [
            BenchRow(
                name: "backfill, \(cores) cores for everything: repositories", figure: Double(outcome.repositories) / outcome.seconds,
                unit: "repositories/s", bar: .atLeast(300), note: note),
            BenchRow(
                name: "backfill, \(cores) cores for everything: records into the log", figure: Double(outcome.records) / outcome.seconds,
                unit: "records/s", bar: .atLeast(15_000), note: note),
        ]
    }

    private static func measure(
        _ servers: BenchLab.Servers, _ simulator: SimulatorService, accounts: Int, _ context: BenchContext
    ) async throws -> Outcome {
        var configuration = try BenchNetwork.configuration(
            servers.configuration, relayURL: simulator.addresses.relayURLs[0], directoryURL: simulator.addresses.directoryURL)
        for (key, value) in [
            ("api.bind", "127.0.0.1:0"), ("repos.scope", "full"), ("allow_private_hosts", "true"), ("fetch.host_rate", "100000"),
            ("fetch.host_concurrency", "8"), ("fetch.concurrency", "16"),
        ] { try configuration.set(key, to: value, by: "weir bench") }
        let ready = configuration
        return try await withThrowingTaskGroup(of: Outcome?.self) { group in
            group.addTask {
                try await FleetProcess(
                    roles: [.ingestFirehose, .ingestBackfill, .worker, .api], configuration: ready, metrics: PrometheusMetrics(), log: context.log
                ).run(beside: [simulator]) { _ in }
                return nil
            }
            group.addTask { try await follow(ready, accounts: accounts, context.progress) }
            defer { group.cancelAll() }
            guard let outcome = try await group.next() ?? nil else {
                try Task.checkCancellation()
                throw Failure("the fleet ended before the measurement did")
            }
            return outcome
        }
    }

    /// From the first job to the end of the last one.
    private static func follow(_ configuration: FleetConfiguration, accounts: Int, _ progress: SharedProgress) async throws -> Outcome {
        let connection = try await PostgresConnection.connect(
            try PostgresConfiguration(url: configuration.postgresURL ?? "", applicationName: "weir bench"))
        defer { Task { await connection.close() } }
        let clock = ContinuousClock()
        let deadline = clock.now + .seconds(1200)
        var begun: ContinuousClock.Instant?
        while clock.now < deadline {
            let row = try await connection.query(
                """
                SELECT count(*), count(*) FILTER (WHERE state = 'done'), coalesce(sum(records) FILTER (WHERE state = 'done'), 0)::bigint,
                    coalesce(sum(bytes) FILTER (WHERE state = 'done'), 0)::bigint, coalesce(sum(failures), 0)::bigint
                FROM \(configuration.postgresSchema).backfill_jobs
                """)[0]
            let (all, done): (Int64, Int64) = (try row.value(0), try row.value(1))
            if all > 0 { begun = begun ?? clock.now }
            progress.show("fetching repositories", Int(done), accounts)
            if let begun, done >= Int64(accounts) {
                return Outcome(
                    seconds: (clock.now - begun) / .seconds(1), repositories: done, records: try row.value(2), bytes: try row.value(3),
                    failures: try row.value(4))
            }
            // Near the end more often: each look reads the whole table, on the cores that are measured.
            try await Task.sleep(for: .milliseconds(done < Int64(accounts) * 9 / 10 ? 1000 : 100))
        }
        throw Failure("\(accounts) repositories were not fetched within 20 minutes")
    }
}
