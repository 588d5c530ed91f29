import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import Synchronization
import TestSupport

/// Appends to runs over HTTP, as an application does: each event with a dedup key, and some requests sent again as they were.
struct RunAppender: Sendable {
    let port: Int
    let record: RunRecord

    private struct Answer: Decodable {
        var seqs: [Int64]
        var appended: Int
    }

    func create(_ run: String) async throws {
        let (status, body) = try await post("/runs", #"{"kind":"order","id":"\#(run)"}"#)
        guard status == 201 else { throw TestSupportError("\(run) was not created: \(status) \(body)") }
    }

    /// Appends to a run until told to stop, each time when the time before has reached a client: so there is always something under way, and never a heap of it.
    func feed(_ run: String, seed: UInt64, until stopped: @Sendable () -> Bool) async throws {
        var generator = SeededGenerator(seed: seed)
        while !stopped() {
            let numbers = record.numbers(Int.random(in: 1...6, using: &generator))
            let times = Int.random(in: 1...4, using: &generator) == 1 ? 2 : 1
            for time in 0..<times {
                let answer = try await append(numbers, to: run)
                record.appended(numbers, seqs: answer.seqs, to: run)
                if let last = answer.seqs.last { await record.waitUntilReceived(last, of: run) }
                try Task.checkCancellation()
                if answer.appended != (time == 0 ? numbers.count : 0) { record.complain("\(run): \(answer.appended) of \(numbers) were new") }
            }
        }
    }

    func finish(_ run: String) async throws {
        let (status, body) = try await post("/runs/\(run)/finish", "{}")
        guard status == 200 else { throw TestSupportError("\(run) was not finished: \(status) \(body)") }
        record.ended(run, at: try JSONDecoder().decode(Ended.self, from: Data(body.utf8)).lastSeq)
    }

    private struct Ended: Decodable {
        var lastSeq: Int64
        enum CodingKeys: String, CodingKey { case lastSeq = "last_seq" }
    }

    /// An append behind the end is refused, and says so.
    func appendBehindEnd(_ run: String) async throws {
        let (status, body) = try await post("/runs/\(run)/events", #"{"type":"order.late"}"#)
        if status != 409 || !body.contains("run_ended") { record.complain("\(run): an append behind its end got \(status) \(body)") }
    }

    private func append(_ numbers: [Int64], to run: String) async throws -> Answer {
        let events = numbers.map { #"{"type":"order.step","dedup_key":"d\#($0)","payload":{"n":\#($0)}}"# }
        let (status, body) = try await post("/runs/\(run)/events", "[\(events.joined(separator: ","))]")
        guard status == 200 else { throw TestSupportError("an append to \(run) got \(status) \(body)") }
        return try JSONDecoder().decode(Answer.self, from: Data(body.utf8))
    }

    private func post(_ path: String, _ body: String) async throws -> (UInt, String) {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)\(path)")
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/json")
        request.body = .bytes(ByteBuffer(string: body))
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(60))
        return (response.status.code, String(buffer: try await response.body.collect(upTo: 1 << 20)))
    }
}
