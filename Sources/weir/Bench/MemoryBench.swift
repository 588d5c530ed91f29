import Fleet
import Foundation

/// The resident memory of each role, a process each, while a relay has more than the fleet takes.
///
/// The peak is the kernel's own and counts from the start of the process. Growth does not: until so many frames are logged that every bounded buffer
/// and cache has filled, a process must grow. From there on the last third of the samples is compared with the first.
struct MemoryBench: BenchPart {
    static let name = "memory"

    private static let megabytesMax = 150.0
    /// Of the mean of the last third over the mean of the first, in percent.
    private static let growthMax = 10.0
    /// Frames that fill what is bounded; a short run spends half on it.
    private static let warmUpFrames = 50_000

    static func rows(_ context: BenchContext) async throws -> [BenchRow] {
        let frames = context.isFull ? 1_000_000 : 60_000
        let outcome = try await BenchLab.run(context) { servers in try await measure(servers, frames: frames, context) }
        let note = """
            \(frames) frames\(context.isFull ? "" : " (full run: 1,000,000)") of \(outcome.frameBytes) bytes on average from a simulator in a process of \
            its own in \(BenchTable.number(outcome.seconds)) s beside an SSE client; up to \(outcome.backlogMax) entries waited in Redis; \
            \(outcome.sent) frames sent over \(outcome.connections) connections, \(outcome.logged) events logged, \(outcome.refused) messages refused, \(outcome.arrived) \
            events at the client by then
            """
        var rows = outcome.memories.map { memory in
            BenchRow(
                name: "resident memory with \(BenchTable.number(Double(frames))) frames pressing: \(memory.role)", figure: memory.peak, unit: "MB",
                ceiling: nil, ceilingName: nil, bar: .atMost(megabytesMax),
                note: memory.note(frames: frames) + "; " + note)
        }
        if let worst = outcome.memories.max(by: { $0.growth < $1.growth }) {
            rows.append(
                BenchRow(
                    name:
                        "its growth after \(BenchTable.number(Double(warmUp(frames)))) frames, last third over first, of the role that grew most: \(worst.role)",
                    figure: worst.growth, unit: "%",
                    ceiling: nil, ceilingName: nil, bar: .atMost(growthMax),
                    note: outcome.memories.map { "\($0.role) \(BenchTable.number($0.growth))%" }.joined(separator: ", ")))
        }
        return rows
    }

    private static func warmUp(_ frames: Int) -> Int { min(warmUpFrames, frames / 2) }

    private struct Outcome: Sendable {
        var memories: [RoleMemory]
        var seconds: Double
        var frameBytes: Int
        var backlogMax: Int64
        var sent: Int
        var connections: Int
        var logged: Int64
        var refused: Int64
        var arrived: Int
    }

    private static func measure(_ servers: BenchLab.Servers, frames: Int, _ context: BenchContext) async throws -> Outcome {
        let port = try BenchLab.freePorts(4)
        @Sendable func host(_ index: Int) -> String { "127.0.0.1:\(port + index)" }
        let (ready, client) = try RoleFleet.configuration(servers, relayURL: "ws://\(host(0))", directoryURL: "http://\(host(1))")
        return try await FleetProcesses.run(ready, folder: servers.folder) { processes in
            _ = try await processes.start(
                ["simulate"],
                [
                    "simulator.bind": host(0), "simulator.relays": "1", "simulator.rate": "0",
                    "simulator.prebuild": "\(min(frames / 2, 100_000))", "operations.bind": "127.0.0.1:0",
                ])
            let control = NetworkControl(client: APIClient(base: "http://\(host(3))"))
            try await control.waitUntilServing { context.progress.show("making messages", $0, 180, note: "seconds at most") }
            return try await withThrowingTaskGroup(of: Outcome?.self) { group in
                let feed = EventFeed(client)
                group.addTask {
                    try await feed.run()
                    return nil
                }
                group.addTask { try await press(processes, client, control, frames: frames, feed, context) }
                defer { group.cancelAll() }
                while let ended = try await group.next() {
                    if let outcome = ended { return outcome }
                }
                throw CancellationError()
            }
        }
    }

    private static func press(
        _ processes: FleetProcesses, _ client: APIClient, _ control: NetworkControl, frames: Int, _ feed: EventFeed, _ context: BenchContext
    ) async throws -> Outcome {
        let roles = try await RoleFleet.start(processes, client)
        var memories = [
            RoleMemory(role: "ingest", process: roles.ingest), RoleMemory(role: "worker", process: roles.worker),
            RoleMemory(role: "api", process: roles.api),
        ]
        let probe = FleetProbe(client: client)
        let begun = ContinuousClock.now
        try await control.press(frames)
        var backlogMax: Int64 = 0
        while true {
            try await Task.sleep(for: .milliseconds(250))
            guard let relay = try await control.relay(), let status = await probe.status() else { continue }
            // What waits in Redis was not worked on yet.
            let isWarm = relay.messages - Int(status.backlog) >= warmUp(frames)
            for index in memories.indices { try memories[index].sample(keeps: isWarm) }
            backlogMax = max(backlogMax, status.backlog)
            context.progress.show("pressing", min(relay.messages, frames), frames, note: "\(status.logged) logged, \(feed.events) events arrived")
            if relay.messages >= frames, status.reaches(relay.lastSeq), status.isPublished {
                let seconds = (ContinuousClock.now - begun) / .seconds(1)
                return Outcome(
                    memories: memories, seconds: seconds, frameBytes: relay.bytes / max(1, relay.sent), backlogMax: backlogMax, sent: relay.sent,
                    connections: relay.connections, logged: status.logged, refused: status.refused, arrived: feed.events)
            }
            guard ContinuousClock.now - begun < .seconds(context.isFull ? 3600 : 300) else {
                throw Failure("the log does not reach the last message; \(relay.messages) of \(frames) sent\n\(processes.logTail)")
            }
        }
    }
}
