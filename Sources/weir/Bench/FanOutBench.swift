import Events
import Fleet
import Foundation
import Glibc
import Ledger

/// How many messages a second one API process writes to a thousand event-stream clients of one run, from the append in Postgres to the last client's
/// socket: worker, Redis, Postgres and the clients share this machine's cores.
struct FanOutBench: BenchPart {
    static let name = "fanout"
    private static let clients = 1_000

    private struct Outcome: Sendable {
        var seconds: Double
        var counts: SocketCrowd.Counts
        var bareRate: Double
    }

    static func rows(_ context: BenchContext) async throws -> [BenchRow] {
        let events = context.isFull ? 4_000 : 600
        let outcome = try await BenchLab.run(context) { servers in try await measure(servers, events, context) }
        let bytes = Double(outcome.counts.bytes) / Double(events * clients)
        return [
            BenchRow(
                name: "one run to 1,000 SSE clients: messages written", figure: Double(events * clients) / outcome.seconds, unit: "messages/s",
                ceiling: outcome.bareRate,
                ceilingName: "two threads that write and read the same bytes over 1,000 loopback sockets, 32 messages a write",
                bar: .atLeast(100_000),
                note: """
                    \(events) events\(context.isFull ? "" : " (full run: 4,000)") of \(Int(bytes)) bytes each on the wire in batches of 50 to \(clients) \
                    clients in \(BenchTable.number(outcome.seconds)) s, all of them to the terminal event; api, worker, Redis, Postgres and the clients share the cores
                    """)
        ]
    }

    private static func measure(_ servers: BenchLab.Servers, _ events: Int, _ context: BenchContext) async throws -> Outcome {
        var lab = try await StreamLab.configuration(servers, clients: clients + 100)
        // Every client gets the same bytes: none a heartbeat that another does not.
        try lab.configuration.set("api.heartbeat", to: "300s", by: "weir bench")
        return try await FleetProcesses.run(lab.configuration, folder: servers.folder) { [lab] processes in
            _ = try await processes.start(["api"])
            _ = try await processes.start(["worker"])
            try await lab.waitUntilServing(processes)
            let run = try await lab.makeRun()
            let crowd = try await SocketCrowd.connect(clients, port: lab.port, request: StreamLab.request(run)) {
                context.progress.show("streams", $0, clients)
            }
            try await lab.wait(clients: clients)
            let clock = ContinuousClock()
            let begun = clock.now
            async let reading = crowd.read(for: .seconds(300))
            try await lab.withLedger { ledger in try await append(events, to: run, ledger) }
            let counts = try await reading
            let seconds = (clock.now - begun) / .seconds(1)
            guard counts.ended == clients else { throw Failure("\(clients - counts.ended) clients have no end\n\(processes.logTail)") }
            // Chunks' headers differ, as clients' batches do; an event that one lacks would be more.
            guard counts.most - counts.least < counts.most / Int64(events) else {
                throw Failure("clients got between \(counts.least) and \(counts.most) bytes of the same events")
            }
            context.progress.show("bare sockets", 0, 1)
            let bare = try await BareSockets.rate(sockets: clients, messageBytes: Int(counts.bytes) / (events * clients), messages: events)
            return Outcome(seconds: seconds, counts: counts, bareRate: bare)
        }
    }

    private static func append(_ count: Int, to run: RunID, _ ledger: Ledger) async throws {
        let body = Array(("{\"text\":\"" + String(repeating: "x", count: 120) + "\"}").utf8)
        for start in stride(from: 0, to: count - 1, by: 50) {
            let batch = (start..<min(start + 50, count - 1)).map {
                LogEvent(
                    run: run, seq: 0, kind: .record, did: "did:plc:bench\($0)", collection: "app.bench.event", rkey: "\($0)", action: .create,
                    body: body)
            }
            _ = try await ledger.append(batch, run: run)
        }
        _ = try await ledger.endRun(run, state: .finished)
    }
}

/// What the kernel gives: one thread writes the same bytes to many loopback sockets in turn, another reads them.
enum BareSockets {
    /// Messages a second.
    static func rate(sockets count: Int, messageBytes: Int, messages: Int) async throws -> Double {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(listener) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 4096) == 0 && getsockname(listener, $0, &length) == 0
            }
        }
        guard isBound else { throw Failure("no loopback socket") }
        let crowd = try await SocketCrowd.connect(count, port: Int(in_port_t(bigEndian: address.sin_port)), request: "") { _ in }
        let begun = ContinuousClock.now
        async let reading = crowd.read(for: .seconds(120))
        try await BenchThread.run {
            let chunk = [UInt8](repeating: 0x78, count: messageBytes * 32)
            let accepted = (0..<count).map { _ in accept(listener, nil, nil) }
            defer { for socket in accepted { close(socket) } }
            for _ in 0..<max(1, messages / 32) {
                for socket in accepted {
                    var sent = 0
                    while sent < chunk.count {
                        let wrote = chunk.withUnsafeBytes {
                            send(socket, $0.baseAddress?.advanced(by: sent), chunk.count - sent, Int32(MSG_NOSIGNAL))
                        }
                        guard wrote > 0 else { throw Failure("a loopback socket broke") }
                        sent += wrote
                    }
                }
            }
        }
        let counts = try await reading
        let seconds = (ContinuousClock.now - begun) / .seconds(1)
        return Double(counts.bytes) / Double(messageBytes) / seconds
    }
}
