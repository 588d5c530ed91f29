import Events
import Fleet
import Foundation
import Ledger
import Logging
import PostgresClient

/// An API with a run that many clients follow, on a part's servers.
struct StreamLab: Sendable {
    var configuration: FleetConfiguration
    var port: Int
    private var client: APIClient

    static func configuration(_ servers: BenchLab.Servers, clients: Int) async throws -> StreamLab {
        var configuration = servers.configuration
        let port = try BenchLab.freePorts(1)
        try configuration.set("api.bind", to: "127.0.0.1:\(port)", by: "weir bench")
        try configuration.set("api.clients", to: "\(clients)", by: "weir bench")
        try configuration.set("operations.bind", to: "127.0.0.1:0", by: "weir bench")
        return StreamLab(configuration: configuration, port: port, client: APIClient(base: "http://127.0.0.1:\(port)"))
    }

    static func request(_ run: RunID) -> String { "GET /runs/\(run)/stream HTTP/1.1\r\nHost: bench\r\nAccept: text/event-stream\r\n\r\n" }

    func waitUntilServing(_ processes: FleetProcesses) async throws {
        do {
            try await FleetProbe(client: client).wait(upTo: .seconds(60), "the API does not answer") { _ in true }
        } catch let failure as Failure {
            throw Failure("\(failure.description)\n\(processes.logTail)")
        }
    }

    /// Until so many streams are open.
    func wait(clients count: Int) async throws {
        let deadline = ContinuousClock.now + .seconds(120)
        while true {
            if let answer = try? await client.get("/status"), let tree = JSONTree(answer.body), let open = tree["stream_clients"]?.integer,
                open >= count
            {
                return
            }
            guard ContinuousClock.now < deadline else { throw Failure("not all of \(count) streams are open within 2 min") }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    func makeRun() async throws -> RunID {
        guard let run = RunID("bench/fanout") else { throw Failure("no run") }
        try await withLedger { ledger in _ = try await ledger.createRun(run, kind: "bench", sinks: ["outlet"]) }
        return run
    }

    func withLedger<Value: Sendable>(_ body: @Sendable (Ledger) async throws -> Value) async throws -> Value {
        var postgres = try PostgresConfiguration(url: configuration.postgresURL ?? "", applicationName: "weir-bench-streams")
        postgres.searchPath = [configuration.postgresSchema]
        let pool = PostgresPool(configuration: postgres, logger: Logger(label: "weir.bench"))
        do {
            let value = try await body(Ledger(pool: pool, schema: configuration.postgresSchema))
            await pool.close()
            return value
        } catch {
            await pool.close()
            throw error
        }
    }
}
