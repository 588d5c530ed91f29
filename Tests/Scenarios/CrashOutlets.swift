import PostgresClient
import RedisClient

/// What the shards' outlet streams hold, read by Redis commands alone.
///
/// The API hides a hole in an outlet by reading the log: only the outlet itself shows whether each event was published.
enum CrashOutlets {
    /// Waits until publishers say that everything is published.
    static func waitUntilPublished(_ crashes: CrashFleet) async throws {
        let pending = "SELECT count(*) FROM weir.run_outbox o JOIN weir.runs r ON r.no = o.run WHERE o.next_seq <= r.last_seq"
        try await crashes.waitUntil { try await FleetUnderTest.number($0, pending) == 0 }
    }

    /// Outlets whose entries are not those of the log, each once and in order.
    static func differences(_ redis: RedisClient, _ logged: [String: [StreamedEvent]]) async throws -> [String] {
        var result: [String] = []
        for (run, events) in logged.sorted(by: { $0.key < $1.key }) {
            let reply = try await redis.send(RedisCommand("XRANGE", .string("run:{\(run)}"), "-", "+"), timeout: .seconds(30))
            let ids = try reply.array().map { try $0.array()[0].string() }
            let expected = events.map { "\($0.seq)-0" }
            guard ids != expected else { continue }
            let missing = Set(expected).subtracting(ids).sorted().prefix(5)
            result.append("outlet of \(run): \(ids.count) entries for \(expected.count) events; missing \(missing), last \(ids.last ?? "none")")
        }
        return result
    }
}
