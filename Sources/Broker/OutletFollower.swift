public import Events
import RedisClient

/// One connection that waits for new events on any of many outlets.
public struct OutletFollower: Sendable {
    private let keys: StreamKeys
    private let connection: RedisConnection

    init(keys: StreamKeys, connection: RedisConnection) {
        self.keys = keys
        self.connection = connection
    }

    /// Events after the given seqs, by run; empty after `block` without any. Runs without new events are not among them.
    ///
    /// The first of a run may be above its seq + 1 (trimmed, or lost: read the ledger). A missing outlet is waited for.
    /// - Parameter block: 0 does not wait; it is rounded down to milliseconds, at least one.
    /// - Throws: `corrupt` where an entry is not what Weir publishes.
    public func read(after: [RunID: Int64], countPerRun: Int, block: Duration) async throws(BrokerError) -> [RunID: [LogEvent]] {
        if after.isEmpty { return [:] }
        var arguments: [RedisArgument] = ["COUNT", .integer(max(countPerRun, 1))]
        if block > .zero { arguments += ["BLOCK", .integer(max(block.milliseconds, 1))] }
        arguments.append("STREAMS")
        let runs = Dictionary(after.keys.map { (keys.outlet(run: $0), $0) }) { first, _ in first }
        let sorted = runs.sorted { $0.key < $1.key }
        arguments += sorted.map { .string($0.key) }
        arguments += sorted.map { .string("\(max(after[$0.value] ?? 0, 0))-0") }
        let limit = block + connection.configuration.commandTimeout
        let replies = try await connection.brokered(RedisBatch(RedisCommand("XREAD", arguments)), timeout: limit)
        let streams = try brokered(at: "XREAD of outlets") { () throws(RedisError) in try RawEntry.streams(replies[0]) }
        var events: [RunID: [LogEvent]] = [:]
        for stream in streams {
            guard let run = runs[stream.key] else { continue }
            events[run] = try OutletStreams.events(stream.entries, run: run, key: stream.key)
        }
        return events
    }
}
