import Fleet
import Foundation
import Simulator

/// How long a commit takes from the relay's socket to a client that follows the log, at a steady rate, each role in a process of its own.
struct LatencyBench: BenchPart {
    static let name = "latency"

    private static let commitsPerSecond = 1000.0

    static func rows(_ context: BenchContext) async throws -> [BenchRow] {
        let warmUp = 5
        let seconds = context.isFull ? 60 : 20
        // Of a thousand events of the network about twelve are no commits.
        let rate = commitsPerSecond / 0.988
        let watch = CommitWatch()
        let messages = Int(rate * Double(warmUp + seconds + 1))
        let simulator = try await BenchNetwork.prepare(messages: messages, context) { did, rev in watch.sent(did, rev) }
        let (latencies, synced, lost) = try await BenchLab.run(context) { servers in
            let synced = try DiskSync.milliseconds(folder: servers.folder, count: 200)
            let latencies = try await measure(servers, simulator, watch, rate: rate, seconds: (warmUp, seconds), context)
            return (latencies, synced, watch.waiting)
        }
        guard latencies.count > 0 else { throw Failure("no commit arrived") }
        let note = """
            \(latencies.count) commits in \(seconds) s after \(warmUp) s of the same rate, max \(BenchTable.number(latencies.max)) ms\
            \(lost > 0 ? ", \(lost) commits without an event" : ""); a process a role, each commit counted at its last event
            """
        func row(_ name: String, _ share: Double, bar: Double) -> BenchRow {
            BenchRow(
                name: "end to end at 1,000 commits/s, socket to SSE client: \(name)", figure: latencies.at(share), unit: "ms",
                ceiling: synced.at(share), ceilingName: "a write of 16 KB and fdatasync in the servers' folder, \(name) of \(synced.count)",
                bar: .atMost(bar), note: note)
        }
        return [row("p50", 0.5, bar: 50), row("p99", 0.99, bar: 200)]
    }

    private static func measure(
        _ servers: BenchLab.Servers, _ simulator: SimulatorService, _ watch: CommitWatch, rate: Double, seconds: (warmUp: Int, measured: Int),
        _ context: BenchContext
    ) async throws -> Percentiles {
        let (ready, client) = try RoleFleet.configuration(
            servers, relayURL: simulator.addresses.relayURLs[0], directoryURL: simulator.addresses.directoryURL)
        return try await FleetProcesses.run(ready, folder: servers.folder) { processes in
            try await withThrowingTaskGroup(of: Percentiles?.self) { group in
                let feed = EventFeed(client)
                group.addTask {
                    try await simulator.run()
                    return nil
                }
                group.addTask {
                    try await feed.run { watch.arrived($0.did, $0.rev) }
                    return nil
                }
                group.addTask {
                    try await RoleFleet.start(processes, client)
                    try await simulator.set(EventRate(eventsPerSecond: rate))
                    let total = seconds.warmUp + seconds.measured
                    for second in 0..<total {
                        if second == seconds.warmUp { watch.begin() }
                        context.progress.show("steady rate", second, total, note: "\(feed.events) events arrived")
                        try await Task.sleep(for: .seconds(1))
                    }
                    watch.end()
                    try await simulator.set(.paused)
                    // What is under way still counts.
                    for _ in 0..<40 where watch.waiting > 0 { try await Task.sleep(for: .milliseconds(50)) }
                    return watch.latencies
                }
                defer { group.cancelAll() }
                while let ended = try await group.next() {
                    if let latencies = ended { return latencies }
                }
                throw CancellationError()
            }
        }
    }
}

/// What this disk takes to keep something: no commit is faster than that.
enum DiskSync {
    static func milliseconds(folder: String, count: Int) throws -> Percentiles {
        let path = folder + "/sync"
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Failure("cannot write \(path)") }
        defer {
            close(descriptor)
            unlink(path)
        }
        let bytes = [UInt8](repeating: 7, count: 16 << 10)
        var samples: [Double] = []
        for _ in 0..<count {
            let begun = ContinuousClock.now
            guard write(descriptor, bytes, bytes.count) == bytes.count, fdatasync(descriptor) == 0 else { throw Failure("cannot write \(path)") }
            samples.append((ContinuousClock.now - begun) / .milliseconds(1))
        }
        return Percentiles(samples)
    }
}
