import Fleet
import Foundation
import Logging
import Serve
import Simulator
import Synchronization

/// How many commits a second a whole fleet takes, from the relay's socket to the outlet: all roles, Redis, Postgres and the simulator share this
/// machine's cores.
struct EndToEndBench: BenchPart {
    static let name = "end-to-end"

    private struct Outcome: Sendable {
        var seconds: Double
        var commits: Int
        var status: BenchStatus
        var frameBytes: Int
    }

    static func rows(_ context: BenchContext) async throws -> [BenchRow] {
        let messages = context.isFull ? 200_000 : 20_000
        let count = CommitCount()
        let simulator = try await BenchNetwork.prepare(messages: messages, context) { _, _ in count.add() }
        context.progress.show("measuring one core", 0, 1)
        let rate = try await BenchNetwork.verificationRate(simulator, seconds: context.isFull ? 4 : 1.5)
        let outcome = try await BenchLab.run(context) { servers in
            try await measure(servers, simulator, messages: messages, count, context)
        }
        let cores = ProcessInfo.processInfo.activeProcessorCount
        return [
            BenchRow(
                name: "end to end, \(cores) cores for everything: verified commits", figure: Double(outcome.commits) / outcome.seconds,
                unit: "commits/s", ceiling: rate * Double(cores),
                ceilingName: "\(cores) cores × full verification of the same commits on one core (\(BenchTable.number(rate))/s)", bar: .atLeast(4000),
                note: """
                    \(messages) messages of \(outcome.frameBytes) bytes on average, \(outcome.commits) commits, \(outcome.status.logged) events logged and \
                    published in \(BenchTable.number(outcome.seconds)) s, \(outcome.status.refused) refused; all roles in one process
                    """)
        ]
    }

    private static func measure(
        _ servers: BenchLab.Servers, _ simulator: SimulatorService, messages: Int, _ count: CommitCount, _ context: BenchContext
    ) async throws -> Outcome {
        var configuration = try BenchNetwork.configuration(
            servers.configuration, relayURL: simulator.addresses.relayURLs[0], directoryURL: simulator.addresses.directoryURL)
        try configuration.set("api.bind", to: "127.0.0.1:0", by: "weir bench")
        let ready = configuration
        let (serving, signal) = AsyncStream.makeStream(of: Fleet.BindAddress.self)
        return try await withThrowingTaskGroup(of: Outcome?.self) { group in
            group.addTask {
                try await FleetProcess(
                    roles: [.ingestFirehose, .worker, .api], configuration: ready, metrics: PrometheusMetrics(), log: context.log
                ).run(beside: [simulator]) { signal.yield($0) }
                return nil
            }
            group.addTask {
                guard let address = await serving.first(where: { _ in true }) else { return nil }
                return try await drive(FleetProbe(client: APIClient(bind: address)), simulator, messages: messages, count, context.progress)
            }
            defer { group.cancelAll() }
            guard let outcome = try await group.next() ?? nil else {
                try Task.checkCancellation()
                throw Failure("the fleet ended before the measurement did")
            }
            return outcome
        }
    }

    /// Waits until relays are connected and shards are owned, opens the gate, and waits for the last message to be published.
    private static func drive(
        _ probe: FleetProbe, _ simulator: SimulatorService, messages: Int, _ count: CommitCount, _ progress: SharedProgress
    ) async throws -> Outcome {
        try await probe.wait(upTo: .seconds(60), "the relay and the shards find no owner") { $0.isStreaming && $0.isOwned }
        let clock = ContinuousClock()
        let begun = clock.now
        try await simulator.set(EventRate(eventsPerSecond: .infinity, eventsMax: messages, followsReaders: true))
        let status = try await probe.wait(upTo: .seconds(1200), "the log does not reach the last message") { status in
            progress.show("through the fleet", min(messages, Int(status.logged / 2)), messages, note: "\(status.logged) events logged")
            guard let relay = try await simulator.status().relays.first else { return false }
            return relay.messages >= messages && status.isPublished && status.reaches(relay.lastSeq)
        }
        let seconds = (clock.now - begun) / .seconds(1)
        let relay = try await simulator.status().relays.first
        let bytes = (relay?.bytesSent ?? 0) / max(1, relay?.framesSent ?? 1)
        return Outcome(seconds: seconds, commits: count.now, status: status, frameBytes: bytes)
    }
}

/// Commits that a relay sent.
final class CommitCount: Sendable {
    private let count = Atomic(0)
    func add() { count.add(1, ordering: .relaxed) }
    var now: Int { count.load(ordering: .relaxed) }
}
