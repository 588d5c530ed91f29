import Events
import Fleet
import Foundation
import Logging
import PostgresClient

/// How many events a second applications append through HTTP, each request answered when its events are durable: an API process, Postgres, and the clients
/// share this machine's cores.
///
/// In turns: requests of 100 events to 64 runs, one connection each; the same with keys and dedup keys; and bare COPY of as many equal rows into a table with
/// the log's partitions and index, a transaction of 100 rows each, by as many connections as the API has. Rows a second are medians over the turns.
struct RunsBench: BenchPart {
    static let name = "runs"

    private static let runs = 64
    /// Connections of the API to Postgres, and of the bare COPY.
    private static let connections = 8

    private struct Rates: Sendable {
        var plain: [Double] = []
        var keyed: [Double] = []
        var copy: [Double] = []
    }

    static func rows(_ context: BenchContext) async throws -> [BenchRow] {
        let rates = try await BenchLab.run(context) { servers in try await measure(servers, context) }
        let cores = ProcessInfo.processInfo.activeProcessorCount
        let keyed = median(rates.keyed)
        return [
            BenchRow(
                name: "appends through HTTP, \(cores) cores for everything", figure: median(rates.plain), unit: "events/s",
                ceiling: median(rates.copy),
                ceilingName: "binary COPY of such rows, 100 a transaction, same partitions and index", bar: .atLeast(25_000),
                note: """
                    \(runs) runs, a connection each, \(RunsTraffic.batch) events a request, payloads of \(RunsTraffic.payloadBytes) B, durable when \
                    answered; with a key and a dedup key each \(BenchTable.number(keyed))/s
                    """)
        ]
    }

    private static func measure(_ servers: BenchLab.Servers, _ context: BenchContext) async throws -> Rates {
        var configuration = servers.configuration
        let address = BindAddress(host: "127.0.0.1", port: try BenchLab.freePorts(1))
        for (key, value) in [("api.bind", "\(address)"), ("postgres.connections", "\(connections)")] {
            try configuration.set(key, to: value, by: "weir bench")
        }
        let ready = configuration
        return try await FleetProcesses.run(ready, folder: servers.folder) { processes in
            _ = try await processes.start(["api"])
            return try await APIClient.wide(APIClient(bind: address).base, connections: runs) { client in
                do {
                    return try await turns(client, ready, context)
                } catch {
                    throw Failure("\(error)\n\(processes.logTail)")
                }
            }
        }
    }

    private static func turns(_ client: APIClient, _ configuration: FleetConfiguration, _ context: BenchContext) async throws -> Rates {
        try await serving(client)
        let lab = try await RunsCopyLab.make(configuration, connections: connections, log: context.log)
        let (turns, requests) = context.isFull ? (9, 1600) : (5, 400)
        var rates = Rates()
        for turn in 0...turns {
            context.progress.show("appending to runs", turn, turns + 1)
            let plain = try await append(client, RunsTraffic(withKeys: false), turn: turn, requests: requests)
            let keyed = try await append(client, RunsTraffic(withKeys: true), turn: turn, requests: requests)
            let copy = try await lab.measure(batches: requests, rows: RunsTraffic.batch)
            // The first turn warms.
            guard turn > 0 else { continue }
            rates.plain.append(plain)
            rates.keyed.append(keyed)
            rates.copy.append(copy)
        }
        await lab.end()
        return rates
    }

    private static func serving(_ client: APIClient) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while (try? await client.get("/health", timeout: .seconds(2)))?.status != 200 {
            guard ContinuousClock.now < deadline else { throw Failure("the API does not answer within a minute") }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    /// Events a second of so many requests over all runs; runs of their own for each turn.
    private static func append(_ client: APIClient, _ traffic: RunsTraffic, turn: Int, requests: Int) async throws -> Double {
        let prefix = "bench/\(traffic.withKeys ? "keyed" : "plain")/\(turn)"
        for run in 0..<runs {
            let (status, body) = try await client.send("/runs", json: Array(#"{"kind":"bench","id":"\#(prefix)/\#(run)"}"#.utf8))
            guard status == 201 else { throw Failure("a run was not created: \(String(decoding: body, as: UTF8.self))") }
        }
        let each = max(1, requests / runs)
        // Written before: what is measured is the appending.
        let bodies = (0..<runs).map { run in (0..<each).map { traffic.body(run: run, number: $0) } }
        let clock = ContinuousClock()
        let begun = clock.now
        try await withThrowingTaskGroup { group in
            for run in 0..<runs {
                group.addTask {
                    for body in bodies[run] {
                        let (status, answer) = try await client.send("/runs/\(prefix)/\(run)/events", json: body)
                        guard status == 200 else { throw Failure("an append was refused: \(String(decoding: answer, as: UTF8.self))") }
                    }
                }
            }
            try await group.waitForAll()
        }
        return Double(runs * each * RunsTraffic.batch) / ((clock.now - begun) / .seconds(1))
    }

    private static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        return sorted.isEmpty ? 0 : sorted[sorted.count / 2]
    }
}
