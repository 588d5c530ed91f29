public import Events
import RedisClient
import Synchronization

/// Reads one shard's stream by plain `XREAD` from a position: the owner alone reads, so nothing sits in a pending list.
public struct ShardReader: Sendable {
    private let streams: WorkStreams
    private let shard: Shard
    private let connection: RedisConnection
    private let sizer: SizerBox

    init(streams: WorkStreams, shard: Shard, connection: RedisConnection, replyBytesMax: Int) {
        self.streams = streams
        self.shard = shard
        self.connection = connection
        sizer = SizerBox(ReadSizer(bytesMax: replyBytesMax))
    }

    /// Up to `count` entries after `after`; empty after `block` without any, or where the stream is missing.
    ///
    /// Fewer are asked for where entries are large, so that a reply stays near the reader's bound in bytes. An entry that does not decode is
    /// returned as ``ReadEntry/Content/undecodable(_:)``, never skipped silently. An empty read looks whether Redis lost the stream, and if so makes it
    /// again at `after`: a stream that starts anew with lower ids would be invisible.
    /// - Parameter block: 0 does not wait; it is rounded down to milliseconds, at least one.
    public func read(after: EntryID, count: Int, block: Duration) async throws(BrokerError) -> [ReadEntry] {
        let key = streams.key(shard)
        var arguments: [RedisArgument] = ["COUNT", .integer(sizer.count(atMost: count))]
        if block > .zero { arguments += ["BLOCK", .integer(max(block.milliseconds, 1))] }
        arguments += ["STREAMS", .string(key), .string(after.description)]
        let limit = block + connection.configuration.commandTimeout
        let replies = try await connection.brokered(RedisBatch(RedisCommand("XREAD", arguments)), timeout: limit)
        let raw = try brokered(at: "XREAD \(key)") { () throws(RedisError) in try RawEntry.streams(replies[0]).flatMap(\.entries) }
        if raw.isEmpty {
            _ = try await streams.prepare(shard, committed: after) { batch throws(BrokerError) in try await connection.brokered(batch) }
            return []
        }
        let entries = raw.map { raw in ReadEntry(id: raw.id, content: Self.content(of: raw), size: raw.size) }
        sizer.took(entries: entries.count, bytes: entries.reduce(0) { $0 + $1.size })
        return entries
    }

    private static func content(of raw: RawEntry) -> ReadEntry.Content {
        do {
            return .entry(try UpstreamEntryCodec.decode(try raw.pairs()))
        } catch let problem as EntryProblem {
            return .undecodable(problem.description)
        } catch {
            return .undecodable("\(error)")
        }
    }
}

/// The sizer of a reader: read and changed around each read, by whichever task reads.
private final class SizerBox: Sendable {
    private let sizer: Mutex<ReadSizer>
    init(_ sizer: ReadSizer) { self.sizer = Mutex(sizer) }
    func count(atMost limit: Int) -> Int { sizer.withLock { $0.count(atMost: limit) } }
    func took(entries: Int, bytes: Int) { sizer.withLock { $0.took(entries: entries, bytes: bytes) } }
}
