import ATProto
import Events
import Flow
import Foundation
import PostgresClient
import RedisClient
import TestSupport
import Testing

@testable import Ledger
@testable import Outbox

@Suite(.timeLimit(.minutes(10))) struct SinkWritersTests {
    @Test("a file has a line each event in order, filtered and in its form; a crash before the mark repeats whole batches only")
    func file() async throws {
        try await SinkLab.with { lab in
            let all = try await lab.add("all", ["kind": "file", "path": "all.ndjson", "batch.events": "7"])
            let posts = try await lab.add(
                "posts", ["kind": "file", "path": "deep/posts.ndjson", "filter.collections": "app.bsky.feed.*", "format": "jetstream"])
            for number in 0..<3 { try await lab.append("app/\(number)", 30, ends: true) }
            lab.watch.failMarks(of: "all", 2)
            try await lab.running([lab.service("a"), lab.service("b")]) {
                try await lab.waitUntilDelivered(all)
                try await lab.waitUntilDelivered(posts)
            }
            #expect(lab.watch.failedMarks == 2)
            let log = try await lab.log()
            var seqs: [String: [Int64]] = [:]
            for line in try lines(lab, "all.ndjson") {
                let json = try JSONValue(parsing: Array(line.utf8))
                guard case .integer(let seq) = json["seq"], let run = json["run"]?.string else { return #expect(Bool(false), "\(line)") }
                seqs[run, default: []].append(seq)
            }
            for (run, events) in log {
                let found = seqs[run.description] ?? []
                #expect(deduplicated(found) == events.map(\.seq))
            }
            #expect(seqs.values.reduce(0) { $0 + $1.count } > 93, "the failed marks have repeated nothing")
            #expect(try lines(lab, "deep/posts.ndjson").count == 45)
            #expect(try lines(lab, "deep/posts.ndjson").allSatisfy { $0.contains(#""collection":"app.bsky.feed.post""#) && !$0.contains("\"run\"") })
        }
    }

    /// What is left where each repeat of an earlier seq is dropped; a seq that comes too early stays, and is seen.
    private func deduplicated(_ seqs: [Int64]) -> [Int64] {
        var last: Int64 = 0
        return seqs.filter { seq in
            guard seq == last + 1 else { return seq > last }
            last = seq
            return true
        }
    }

    private func lines(_ lab: SinkLab, _ path: String) throws -> [Substring] {
        try String(contentsOfFile: "\(lab.folder)/\(path)", encoding: .utf8).split(separator: "\n")
    }

    @Test("a line that was torn is ended before the next batch")
    func torn() async throws {
        let path = try TestFolder.make("torn") + "/log"
        try "{\"half".write(toFile: path, atomically: true, encoding: .utf8)
        let event = LogEvent(run: .firehose(0), seq: 1, kind: .record, did: "d")
        let item = SinkBatch.Item(event: event, bytes: Array("{\"a\":\n1}".utf8))
        let name = try #require(SinkName("f"))
        try await FileWriter(destination: .path(path)).deliver(
            SinkBatch(sink: name, run: .firehose(0), epoch: 0, items: [item], from: 1, through: 1))
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "{\"half\n{\"a\": 1}\n")
    }

    @Test("a Redis stream has each event of each run once and in order, though marks fail; a rewind brings them again")
    func redis() async throws {
        try await SinkLab.with { lab in
            let stream = lab.stores.keys.outlet(run: .firehose(0)) + ":sink"
            let sink = try await lab.add("stream", ["kind": "redis", "stream": stream, "batch.events": "4"])
            for number in 0..<4 { try await lab.append("app/\(number)", 20) }
            lab.watch.failMarks(of: "stream", 3)
            try await lab.running([lab.service("a"), lab.service("b")]) {
                try await lab.waitUntilDelivered(sink)
                #expect(lab.watch.failedMarks == 3)
                let once = try await entries(lab, stream)
                for (run, events) in try await lab.log() { #expect(once[run.description] == events.map(\.seq)) }
                let run = try #require(RunID("app/2"))
                _ = try await lab.ledger.rewindSink(sink, to: .seq(15), run: run)
                try await lab.waitUntilDelivered(sink)
                #expect(try await entries(lab, stream)["app/2"] == Array(1...20) + Array(15...20))
            }
            _ = try await lab.stores.redis.send(RedisCommand("DEL", .string(stream), .string(RedisStreamWriter.cursors(of: stream))))
        }
    }

    private func entries(_ lab: SinkLab, _ stream: String) async throws -> [String: [Int64]] {
        var seqs: [String: [Int64]] = [:]
        for entry in try await lab.stores.redis.send(RedisCommand("XRANGE", .string(stream), "-", "+")).array() {
            let fields = try entry.array()[1].array().map { try $0.string() }
            #expect(fields[0] == "run" && fields[2] == "seq" && fields[4] == "kind" && fields[6] == "event")
            seqs[fields[1], default: []].append(try #require(Int64(fields[3])))
        }
        return seqs
    }

    @Test("a table has each event once, exactly, though marks fail and two workers race; a rewind writes anew what it asks for")
    func append() async throws {
        try await SinkLab.with { lab in
            let sink = try await lab.add("rows", ["kind": "postgres", "table": "\(lab.schema).sink_rows", "batch.events": "6"])
            for number in 0..<4 { try await lab.append("app/\(number)", 25, ends: true) }
            lab.watch.failMarks(of: "rows", 4)
            try await lab.running([lab.service("a"), lab.service("b")]) {
                try await lab.waitUntilDelivered(sink)
                #expect(lab.watch.failedMarks == 4)
                try await equal(lab)
                let run = try #require(RunID("app/1"))
                // Rows that an operator wants written anew.
                try await lab.ledger.pool.execute(
                    "DELETE FROM sink_rows WHERE run = 'app/1' AND seq > 20; UPDATE sink_rows SET rev = 'x' WHERE seq = 12")
                _ = try await lab.ledger.rewindSink(sink, to: .seq(10), run: run)
                try await lab.waitUntilDelivered(sink)
                try await lab.ledger.pool.execute("UPDATE sink_rows SET rev = 'r11' WHERE seq = 12 AND run <> 'app/1'")
                try await equal(lab)
            }
        }
    }

    private func equal(_ lab: SinkLab) async throws {
        let rows = try await lab.ledger.pool.query("SELECT run, seq, did, rev, action, body::text AS body FROM sink_rows ORDER BY run, seq")
        var found: [String] = []
        for row in rows {
            let body = try row.optional("body", as: String.self) ?? ""
            found.append(
                "\(try row.value("run", as: String.self)) \(try row.value("seq", as: Int64.self)) \(try row.value("did", as: String.self)) "
                    + "\(try row.value("rev", as: String.self)) \(try row.value("action", as: String.self)) \(body)")
        }
        let expected = try await lab.log().sorted { $0.key < $1.key }.flatMap { run, events in
            events.map { "\(run) \($0.seq) \($0.did) \($0.rev) \($0.action?.rawValue ?? "") \(String(decoding: $0.body, as: UTF8.self))" }
        }
        #expect(found == expected)
    }

    @Test("a table of latest states has for each key what the log says last of it, also after a rewind to the beginning")
    func upsert() async throws {
        try await SinkLab.with { lab in
            let sink = try await lab.add("state", ["kind": "postgres", "table": "\(lab.schema).sink_state", "mode": "upsert", "batch.events": "9"])
            for number in 0..<3 { try await lab.append("app/\(number)", 64) }
            lab.watch.failMarks(of: "state", 3)
            try await lab.running([lab.service("a")]) {
                try await lab.waitUntilDelivered(sink)
                try await latest(lab)
                _ = try await lab.ledger.rewindSink(sink, to: .earliest, run: nil)
                try await lab.waitUntilDelivered(sink)
                try await latest(lab)
            }
        }
    }

    private func latest(_ lab: SinkLab) async throws {
        var expected: [String: Int64] = [:]
        for (run, events) in try await lab.log() {
            for event in events {
                let key = "\(run) \(event.did) \(event.collection) \(event.rkey)"
                expected[key] = event.action == Events.LogEvent.Action.delete ? nil : event.seq
            }
        }
        var found: [String: Int64] = [:]
        for row in try await lab.ledger.pool.query("SELECT concat_ws(' ', run, did, collection, rkey) AS key, seq FROM sink_state") {
            found[try row.value("key")] = try row.value("seq", as: Int64.self)
        }
        #expect(found == expected)
        #expect(!expected.isEmpty)
    }
}
