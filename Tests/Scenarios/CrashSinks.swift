import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import PostgresClient
import TestSupport
import Testing

/// Sinks of the fleet in which processes die: a table, which must have each event exactly once, and a file, to which a batch may come twice.
struct CrashSinks: Sendable {
    static let folder = Result { try TestFolder.make("crash-sinks") }

    /// For the processes of workers.
    static var settings: [String: String] { (try? folder.get()).map { ["WEIR_SINK_FOLDER": $0] } ?? [:] }

    /// Made through the API, as a user would.
    static func make(_ crashes: CrashFleet) async throws {
        for body in [
            #"{"name":"rows","kind":"postgres","table":"public.sink_rows","start":"earliest","timeout":"1s","batch":{"events":20}}"#,
            #"{"name":"lines","kind":"file","path":"lines.ndjson","start":"earliest","timeout":"1s","batch":{"events":20}}"#,
        ] {
            var request = HTTPClientRequest(url: "http://127.0.0.1:\(crashes.fleet.apiPort)/sinks")
            request.method = .POST
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(ByteBuffer(string: body))
            let response = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
            try #require(response.status == .created, "\(response.status)")
        }
    }

    /// Waits until both have everything, then compares with the log.
    static func differences(_ crashes: CrashFleet, _ logged: [String: [StreamedEvent]]) async throws -> [String] {
        try await crashes.waitUntil { pool in
            try await FleetUnderTest.number(
                pool, "SELECT count(*) FROM weir.run_outbox WHERE sink IN ('rows', 'lines') AND (pending OR halted_reason IS NOT NULL)") == 0
        }
        var rows: [String: [Int64]] = [:]
        for row in try await crashes.fleet.pool.query("SELECT run, seq FROM public.sink_rows ORDER BY run, seq") {
            rows[try row.value(0, as: String.self), default: []].append(try row.value(1))
        }
        var lines: [String: [Int64]] = [:]
        let text = try String(contentsOfFile: "\(folder.get())/lines.ndjson", encoding: .utf8)
        for line in text.split(separator: "\n") {
            guard let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] else { return ["no JSON: \(line)"] }
            guard let run = object["run"] as? String, let seq = object["seq"] as? NSNumber else { return ["no event: \(line)"] }
            lines[run, default: []].append(seq.int64Value)
        }
        var result: [String] = []
        for (run, events) in logged {
            let expected = events.map { Int64($0.seq) }
            if rows[run] ?? [] != expected { result.append("table: \(run) has \(rows[run]?.count ?? 0) rows for \(expected.count) events") }
            // In order, where what was written before is written again only as a whole batch: each seq is one above a written one at most.
            var last: Int64 = 0
            for seq in lines[run] ?? [] {
                if seq > last + 1 { result.append("file: \(run) jumps from \(last) to \(seq)") }
                last = max(last, seq)
            }
            if last != expected.last ?? 0 { result.append("file: \(run) ends at \(last), not \(expected.last ?? 0)") }
        }
        return result
    }
}
