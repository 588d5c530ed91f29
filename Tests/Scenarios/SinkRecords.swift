import Foundation
import PostgresClient
import RedisClient
import TestSupport

/// What sinks were given, to be compared with the log: each as seqs by run, in the order of their coming.
struct SinkRecords: Sendable {
    let fleet: FleetUnderTest
    /// Seqs by run, of the runs that the sinks take.
    let log: [String: [Int64]]

    static func of(_ fleet: FleetUnderTest, runs pattern: String = "firehose/%") async throws -> SinkRecords {
        let rows = try await fleet.pool.query(
            "SELECT r.id, e.seq FROM weir.run_events e JOIN weir.runs r ON r.no = e.run WHERE r.id LIKE '\(pattern)' ORDER BY r.id, e.seq")
        return SinkRecords(fleet: fleet, log: try seqs(rows))
    }

    var count: Int { log.values.reduce(0) { $0 + $1.count } }

    private static func seqs(_ rows: PostgresRows) throws -> [String: [Int64]] {
        var seqs: [String: [Int64]] = [:]
        for row in rows { seqs[try row.value(0, as: String.self), default: []].append(try row.value(1)) }
        return seqs
    }

    /// Each event once, in order.
    func exactly(_ name: String, _ record: [String: [Int64]]) -> [String] {
        Set(log.keys).union(record.keys).sorted().compactMap { run in
            let (expected, found) = (log[run] ?? [], record[run] ?? [])
            guard found != expected else { return nil }
            return "\(name): \(run) has \(found.count) entries, \(Set(found).count) of them different, for \(expected.count) events"
        }
    }

    /// Each event at least once; the first time in order, without a hole.
    ///
    /// - Parameter isWhole: false: it ends somewhere, as that of a sink which was removed.
    func atLeastOnce(_ name: String, _ record: [String: [Int64]], isWhole: Bool = true) -> [String] {
        Set(log.keys).union(record.keys).sorted().compactMap { run in
            let expected = log[run] ?? []
            var last: Int64 = 0
            for seq in record[run] ?? [] {
                if seq > last + 1 { return "\(name): \(run) jumps from \(last) to \(seq)" }
                last = max(last, seq)
            }
            guard isWhole ? last == expected.last ?? 0 : last <= expected.last ?? 0 else {
                return "\(name): \(run) ends at \(last), not at \(expected.last ?? 0)"
            }
            return nil
        }
    }

    /// Each event at least once, in whatever order: of several writers of which each has a part.
    func covered(_ name: String, _ record: [String: [Int64]]) -> [String] {
        Set(log.keys).union(record.keys).sorted().compactMap { run in
            let missing = Set(log[run] ?? []).symmetricDifference(record[run] ?? [])
            return missing.isEmpty ? nil : "\(name): \(run) differs in \(missing.count) seqs, as \(missing.min() ?? 0)"
        }
    }

    /// Rows have no order of their coming.
    func table(_ name: String) async throws -> [String: [Int64]] {
        try Self.seqs(try await fleet.pool.query("SELECT run, seq FROM public.\(name) ORDER BY run, seq"))
    }

    static func lines(_ path: String) throws -> [String: [Int64]] {
        var seqs: [String: [Int64]] = [:]
        for line in try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n") {
            guard let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], let run = object["run"] as? String,
                let seq = object["seq"] as? NSNumber
            else { throw ScenarioFailure("\(path) has a line that is no event: \(line)") }
            seqs[run, default: []].append(seq.int64Value)
        }
        return seqs
    }

    func stream(_ name: String) async throws -> [String: [Int64]] {
        try await RedisProbe.with(fleet) { redis in
            var seqs: [String: [Int64]] = [:]
            for entry in try await redis.client.send(RedisCommand("XRANGE", .string(name), "-", "+")).array() {
                let fields = try entry.array()[1].array().map { try $0.string() }
                seqs[fields[1], default: []].append(Int64(fields[3]) ?? 0)
            }
            return seqs
        }
    }
}
