import Events
import Fleet
import Foundation
import Ledger

/// What an idle event-stream client costs the API's process in resident memory, heartbeats included.
struct ClientsBench: BenchPart {
    static let name = "clients-idle"

    static func rows(_ context: BenchContext) async throws -> [BenchRow] {
        let count = context.isFull ? 10_000 : 2_000
        let outcome = try await BenchLab.run(context) { servers in try await measure(servers, count, context) }
        // The kernel's socket is no part of it; an empty connection of the same server is: what HTTP costs before it is a stream.
        return [
            BenchRow(
                name: "idle SSE clients on one api process: resident memory each", figure: outcome.eachKB, unit: "KB", ceiling: outcome.connectionKB,
                ceilingName: "the same server's idle connections before they ask for anything, in the same run", bar: .atMost(12),
                note: """
                    \(count) clients\(context.isFull ? "" : " (full run: 10,000)") of one run, from \(BenchTable.number(outcome.beforeMB)) to \
                    \(BenchTable.number(outcome.afterMB)) MB after heartbeats to all; \(outcome.bytes) bytes came to them
                    """)
        ]
    }

    private struct Outcome: Sendable {
        var eachKB: Double
        var connectionKB: Double
        var beforeMB: Double
        var afterMB: Double
        var bytes: Int64
    }

    private static func measure(_ servers: BenchLab.Servers, _ count: Int, _ context: BenchContext) async throws -> Outcome {
        try SocketCrowd.raiseLimit(count + 512)
        let lab = try await StreamLab.configuration(servers, clients: count + 1000)
        return try await FleetProcesses.run(lab.configuration, folder: servers.folder) { processes in
            let api = try await processes.start(["api"], ["api.heartbeat": "2s"])
            try await lab.waitUntilServing(processes)
            let run = try await lab.makeRun()
            let before = try residentKB(api)
            let connected = try await connections(lab, api, count, context)
            return try await streams(lab, api, run, count, before: before, connected: connected, context)
        }
    }

    /// The process's memory with connections that ask for nothing; they are gone when it returns.
    private static func connections(_ lab: StreamLab, _ api: pid_t, _ count: Int, _ context: BenchContext) async throws -> Double {
        let idle = try await SocketCrowd.connect(count, port: lab.port, request: "") { context.progress.show("connecting", $0, count) }
        try await Task.sleep(for: .seconds(1))
        let connected = try residentKB(api)
        await idle.end()
        return connected
    }

    private static func streams(
        _ lab: StreamLab, _ api: pid_t, _ run: RunID, _ count: Int, before: Double, connected: Double, _ context: BenchContext
    ) async throws -> Outcome {
        let request = StreamLab.request(run)
        let crowd = try await SocketCrowd.connect(count, port: lab.port, request: request) { context.progress.show("streams", $0, count) }
        try await lab.wait(clients: count)
        // Two heartbeats to each.
        let counts = try await crowd.read(for: .seconds(6))
        let after = try residentKB(api)
        guard counts.ended == 0 else { throw Failure("\(counts.ended) streams ended") }
        return Outcome(
            eachKB: (after - before) / Double(count), connectionKB: (connected - before) / Double(count), beforeMB: before / 1024,
            afterMB: after / 1024, bytes: counts.bytes)
    }

    static func residentKB(_ process: pid_t) throws -> Double {
        let text = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
        guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("VmRSS:") }),
            let kilobytes = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first.flatMap({ Double($0) })
        else { throw Failure("the memory of process \(process) cannot be read") }
        return kilobytes
    }
}
