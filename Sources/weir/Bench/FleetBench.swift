import Events
import Fleet
import Foundation
import Logging
import Serve
import Simulator

/// How fast a whole fleet in this process takes what a simulator in the same process sends, from the socket to the outlet.
struct FleetBench {
    struct Result {
        var messages: Int
        var logged: Int64
        var seconds: Double
        var refused: Int64
    }

    var configuration: FleetConfiguration
    var messages: Int
    let metrics: PrometheusMetrics
    let log: Logger

    /// With servers of its own in a folder that is removed at the end, unless others are configured.
    func run(progress: SharedProgress) async throws -> Result {
        let folder = "/tmp/weir-bench-\(UInt32.random(in: 0...(.max)))"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var configuration = configuration
        for (key, value) in [
            ("simulator.bind", "127.0.0.1:0"), ("simulator.rate", "0"), ("simulator.relays", "1"), ("simulator.prebuild", "\(messages)"),
            ("api.bind", "127.0.0.1:0"), ("relay.start", "earliest"),
        ] { try configuration.set(key, to: value, by: "weir bench") }
        let simulator = try await Simulation.prepare(configuration, log: log) { phase, done, total in
            progress.show(phase == .accounts ? "building the network" : "making messages", done, total)
        }
        try configuration.set("relay.hosts", to: simulator.addresses.relayURLs.joined(separator: ","), by: "weir bench")
        try configuration.set("plc.url", to: simulator.addresses.directoryURL, by: "weir bench")
        let servers = try LocalServers(folder: folder, redis: configuration.redisURL == nil, postgres: configuration.postgresURL == nil, log: log)
        if let url = servers.redisURL { try configuration.set("redis.url", to: url, by: "weir bench") }
        if let url = servers.postgresURL { try configuration.set("postgres.url", to: url, by: "weir bench") }
        let ready = configuration
        return try await servers.run { try await measure(ready, simulator, progress) }
    }

    private func measure(_ configuration: FleetConfiguration, _ simulator: SimulatorService, _ progress: SharedProgress) async throws -> Result {
        try await Migration.run(configuration, log: log) { _ in }
        let (serving, signal) = AsyncStream.makeStream(of: Fleet.BindAddress.self)
        return try await withThrowingTaskGroup(of: Result?.self) { group in
            group.addTask {
                try await FleetProcess(roles: [.ingestFirehose, .worker, .api], configuration: configuration, metrics: metrics, log: log)
                    .run(beside: [simulator]) { signal.yield($0) }
                return nil
            }
            group.addTask {
                guard let address = await serving.first(where: { _ in true }) else { return nil }
                return try await drive(APIClient(bind: address), simulator, progress)
            }
            defer { group.cancelAll() }
            guard let result = try await group.next() ?? nil else { throw Failure("the fleet ended before the measurement did") }
            return result
        }
    }

    /// Waits until relays are connected and shards are owned, opens the gate, and waits for the last message to be published.
    private func drive(_ client: APIClient, _ simulator: SimulatorService, _ progress: SharedProgress) async throws -> Result {
        try await wait(client, upTo: .seconds(60), "relays and shards find no owner") { status in
            status.isStreaming && status.isOwned
        }
        let clock = ContinuousClock()
        let begun = clock.now
        try await simulator.set(EventRate(eventsPerSecond: .infinity, eventsMax: messages))
        var last: BenchStatus?
        try await wait(client, upTo: .seconds(600), "the log does not reach the last message") { status in
            last = status
            let relays = try await simulator.status().relays
            progress.show("through the fleet", min(messages, Int(status.logged)), messages, note: "logged")
            let sent = relays.map(\.messages).min() ?? 0
            return sent >= messages && status.isPublished && status.reaches(relays.map(\.lastSeq))
        }
        let seconds = (clock.now - begun) / .seconds(1)
        return Result(messages: messages, logged: last?.logged ?? 0, seconds: seconds, refused: last?.refused ?? 0)
    }

    private func wait(
        _ client: APIClient, upTo patience: Duration, _ complaint: String, until isDone: (BenchStatus) async throws -> Bool
    ) async throws {
        let deadline = ContinuousClock.now + patience
        while true {
            if let tree = JSONTree(try await client.get("/status").body), try await isDone(BenchStatus(tree)) { return }
            guard ContinuousClock.now < deadline else { throw Failure("\(complaint) within \(TimeText.short(patience))") }
            try await Task.sleep(for: .milliseconds(50))
        }
    }
}
