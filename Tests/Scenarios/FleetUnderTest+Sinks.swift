import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import PostgresClient
import TestSupport

/// Sinks of the fleet, made and looked at as its users do.
extension FleetUnderTest {
    /// A sink as `/sinks` shows it.
    struct ShownSink: Decodable, Sendable {
        var name: String
        var state: String
        var lagMs: Int64
        var backlog: Int64
        var pendingRuns: Int64
        var haltedRuns: Int64
        var deadLetters: Int64
        var lastError: String?

        enum CodingKeys: String, CodingKey {
            case name, state, backlog
            case lagMs = "lag_ms"
            case pendingRuns = "pending_runs"
            case haltedRuns = "halted_runs"
            case deadLetters = "dead_letters"
            case lastError = "last_error"
        }
    }

    func shownSinks() async throws -> [String: ShownSink] {
        struct Page: Decodable { var sinks: [ShownSink] }
        return Dictionary(try await get("/sinks", as: Page.self).sinks.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    func shownSink(_ name: String) async throws -> ShownSink { try await get("/sinks/\(name)", as: ShownSink.self) }

    func addSink(_ body: String) async throws { try await order(.POST, "/sinks", body, expecting: 201) }
    func removeSink(_ name: String) async throws { try await order(.DELETE, "/sinks/\(name)", "", expecting: 200) }

    /// An application's run with an event for each payload.
    func appendRun(_ id: String, _ payloads: [String]) async throws {
        try await order(.POST, "/runs", #"{"id":"\#(id)","kind":"order"}"#, expecting: 201)
        let events = payloads.map { #"{"type":"order.changed","payload":\#($0)}"# }
        try await order(.POST, "/runs/\(id)/events", "[\(events.joined(separator: ","))]", expecting: 200)
    }

    private func order(_ method: HTTPMethod, _ path: String, _ body: String, expecting status: UInt) async throws {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(apiPort)\(path)")
        request.method = method
        request.headers.add(name: "Content-Type", value: "application/json")
        request.body = .bytes(ByteBuffer(string: body))
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
        let answer = String(buffer: try await response.body.collect(upTo: 1 << 20))
        try require(response.status.code == status, "\(method) \(path) answered \(response.status.code): \(answer)")
    }

    /// Codes of what `weir doctor` finds of an entity.
    func doctorCodes(_ entity: String) async throws -> [String] {
        struct Finding: Decodable {
            var code: String
            var entity: String
        }
        struct Report: Decodable { var findings: [Finding] }
        let settings = environment.merging(["WEIR_LOG_LEVEL": "error"]) { $1 }.map { "\($0.key)=\($0.value)" }.sorted()
        // Its exit code says that something is to be mended.
        let script = ["/bin/sh", "-c", #""$0" doctor --json || true"#, WeirProcess.program]
        let output = try await ChildProcess.run(["/usr/bin/env"] + settings + script)
        return try JSONDecoder().decode(Report.self, from: Data(output.utf8)).findings.filter { $0.entity == entity }.map(\.code)
    }

    /// A worker whose standard output is a file: for a sink that writes there.
    func startWorker(_ name: String, output path: String, settings: [String: String]) async throws -> WeirProcess {
        let settings = environment.merging(settings) { $1 }.map { "\($0.key)=\($0.value)" }.sorted()
        let script = "out=$1; shift; exec \"$@\" >>\"$out\""
        let child = try await ChildProcess.start(["/usr/bin/env"] + settings + ["/bin/sh", "-c", script, "sh", path, WeirProcess.program, "worker"])
        let process = WeirProcess(name: name, child: child)
        journal.started(process)
        return process
    }

    /// Waits until nothing waits in these sinks.
    func waitUntilDelivered(_ sinks: [String], within limit: Duration = .seconds(90)) async throws {
        let list = sinks.map { "'\($0)'" }.joined(separator: ",")
        try await waitUntil("\(sinks.joined(separator: ", ")) have everything", within: limit) { pool in
            try await Self.number(
                pool, "SELECT count(*) FROM weir.run_outbox WHERE sink IN (\(list)) AND (pending OR halted_reason IS NOT NULL)") == 0
        }
    }

    /// Lets so much time pass under load, and looks at it now and then: nothing else is waited for.
    func during(_ duration: Duration, every interval: Duration = .milliseconds(500), _ look: @Sendable () async throws -> Void) async throws {
        let start = ContinuousClock.now
        let looked = LastLook()
        try await waitUntil("\(duration) have passed", within: duration + .seconds(60)) { _ in
            let now = ContinuousClock.now
            if await looked.isDue(now, every: interval) { try await look() }
            return now - start >= duration
        }
    }

    private actor LastLook {
        private var last: ContinuousClock.Instant?

        func isDue(_ now: ContinuousClock.Instant, every interval: Duration) -> Bool {
            if let last, now - last < interval { return false }
            last = now
            return true
        }
    }
}
