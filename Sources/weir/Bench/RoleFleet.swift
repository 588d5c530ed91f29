import Fleet
import Foundation

/// A fleet of one process a role, as in production, on a part's servers.
enum RoleFleet {
    /// What its processes run with, and a client of its API.
    static func configuration(
        _ servers: BenchLab.Servers, relayURL: String, directoryURL: String
    ) throws -> (configuration: FleetConfiguration, client: APIClient) {
        var configuration = try BenchNetwork.configuration(servers.configuration, relayURL: relayURL, directoryURL: directoryURL)
        let address = BindAddress(host: "127.0.0.1", port: try BenchLab.freePorts(1))
        try configuration.set("api.bind", to: "\(address)", by: "weir bench")
        return (configuration, APIClient(bind: address))
    }

    struct Started: Sendable {
        var ingest: pid_t
        var worker: pid_t
        var api: pid_t
    }

    /// Starts each role once and waits until the relay streams and all shards have an owner.
    @discardableResult
    static func start(_ processes: FleetProcesses, _ client: APIClient) async throws -> Started {
        let api = try await processes.start(["api"])
        let ingest = try await processes.start(["ingest", "firehose"])
        let worker = try await processes.start(["worker"])
        do {
            try await FleetProbe(client: client).wait(upTo: .seconds(60), "the relay and the shards find no owner") { $0.isStreaming && $0.isOwned }
        } catch let failure as Failure {
            throw Failure("\(failure.description)\n\(processes.logTail)")
        }
        return Started(ingest: ingest, worker: worker, api: api)
    }
}
