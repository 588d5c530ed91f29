import Foundation
import PostgresClient

/// One event as a client of the API has it, or as its row in the log says.
struct StreamedEvent: Hashable, Sendable, CustomStringConvertible {
    var run: String
    var seq: Int64
    /// Kind, DID, rev, collection, rkey, action and CID.
    var fields: [String]

    private static let names = ["kind", "did", "rev", "collection", "rkey", "action", "cid"]

    init?(json: String) {
        guard let object = try? JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any], let run = object["run"] as? String,
            let seq = object["seq"] as? Int
        else { return nil }
        self.run = run
        self.seq = Int64(seq)
        fields = Self.names.map { object[$0] as? String ?? "" }
    }

    init(_ row: PostgresRow) throws {
        run = try row.value(0)
        seq = try row.value(1)
        fields = try (2..<9).map { try row.value($0, as: String.self) }
    }

    var description: String { "\(run) \(seq) \(fields.joined(separator: " "))" }

    /// Every event of every shard's run in the log, in order of seq.
    static func logged(_ pool: PostgresPool) async throws -> [String: [StreamedEvent]] {
        let rows = try await pool.query(
            """
            SELECT r.id, e.seq, \(names.map { "e." + $0 }.joined(separator: ", "))
            FROM weir.run_events e JOIN weir.runs r ON r.no = e.run WHERE r.kind = 'firehose' ORDER BY r.id, e.seq
            """)
        return Dictionary(grouping: try rows.map { try StreamedEvent($0) }, by: \.run)
    }

    /// The first differences between what a client received and the log: none where it has each event once and in order.
    static func differences(_ received: [String: [StreamedEvent]], _ logged: [String: [StreamedEvent]], atMost limit: Int = 10) -> [String] {
        var result: [String] = []
        for run in Set(received.keys).union(logged.keys).sorted() {
            let (got, has) = (received[run] ?? [], logged[run] ?? [])
            guard
                let index = (0..<max(got.count, has.count)).first(where: { index in
                    index >= got.count || index >= has.count || got[index] != has[index]
                })
            else { continue }
            let a = index < got.count ? got[index].description : "nothing"
            let b = index < has.count ? has[index].description : "nothing"
            result.append("event \(index) of \(has.count): received \(a), logged \(b)")
        }
        return Array(result.prefix(limit))
    }
}
