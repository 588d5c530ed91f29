public import Events
import NIOCore
public import RedisClient

/// The streams `firehose_backfill:{k}` between fetchers and the owners of shards, in Redis.
///
/// Owns names and shapes of entries. Does not own decisions: which attempt counts, and whether one is whole, comes from `Flow` and the ledger. What is lost
/// here is fetched again: an attempt without its close runs past its deadline.
public struct SnapshotStreams: Sendable {
    public let keys: StreamKeys
    public let shards: ShardMap
    private let redis: RedisClient

    public init(redis: RedisClient, keys: StreamKeys, shards: ShardMap) {
        self.redis = redis
        self.keys = keys
        self.shards = shards
    }

    /// Appends entries in their order as one pipeline.
    ///
    /// - Throws: at the first entry that was not taken, or whose answer was lost. Nothing is known of what stands behind it: give up the attempt, a newer
    ///   one makes its entries void.
    public func append(_ entries: [SnapshotEntry]) async throws(BrokerError) {
        guard let first = entries.first else { return }
        var batch = RedisBatch(capacityBytes: entries.count * 512)
        for entry in entries { SnapshotEntryCodec.append(entry, key: keys.firehoseBackfill(shards.shard(of: entry.did)), to: &batch) }
        let replies = try await redis.brokered(batch, affinity: shards.shard(of: first.did))
        for reply in replies {
            guard let error = reply.serverError else { continue }
            throw BrokerError(error, place: "XADD \(keys.firehoseBackfill(shards.shard(of: first.did)))")
        }
    }

    /// Up to `count` entries of a shard after `after`, without waiting; empty where there are none or the stream is missing.
    public func read(_ shard: Shard, after: EntryID, count: Int) async throws(BrokerError) -> [ReadSnapshotEntry] {
        let key = keys.firehoseBackfill(shard)
        let command = RedisCommand("XREAD", "COUNT", .integer(max(count, 1)), "STREAMS", .string(key), .string(after.description))
        let replies = try await redis.brokered(RedisBatch(command), affinity: shard)
        let raw = try brokered(at: "XREAD \(key)") { () throws(RedisError) in try RawEntry.streams(replies[0]).flatMap(\.entries) }
        return raw.map { ReadSnapshotEntry(id: $0.id, content: Self.content(of: $0), size: $0.size) }
    }

    /// As `WorkStreams.prepare`.
    public func prepare(_ shard: Shard, committed: EntryID) async throws(BrokerError) {
        try await position(of: shard).prepare(committed)
    }

    /// Mirrors the committed position, and trims everything up to it: nobody reads it again.
    public func mirror(_ shard: Shard, committed: EntryID) async throws(BrokerError) {
        try await position(of: shard).mirror(committed, trimBelow: committed.next, entriesRead: nil)
    }

    /// Entries that wait in each shard's stream: what is committed is trimmed.
    public func lengths() async throws(BrokerError) -> [Int] { try await levels().entries }

    /// The same, and how full Redis is.
    public func levels() async throws(BrokerError) -> (entries: [Int], memory: BrokerMemory) {
        var batch = RedisBatch(BrokerMemory.command)
        for shard in 0..<shards.count { batch.append("XLEN", .string(keys.firehoseBackfill(shard))) }
        let replies = try await redis.brokered(batch)
        return try brokered(at: "XLEN firehose_backfill") { () throws(RedisError) in
            var lengths: [Int] = []
            for reply in replies.dropFirst() { lengths.append(Int(try reply.integer())) }
            return (lengths, BrokerMemory(info: try replies[0].string()))
        }
    }

    private func position(of shard: Shard) -> StreamPosition {
        StreamPosition(redis: redis, key: keys.firehoseBackfill(shard), affinity: shard)
    }

    private static func content(of raw: RawEntry) -> ReadSnapshotEntry.Content {
        do {
            return .entry(try SnapshotEntryCodec.decode(try raw.pairs()))
        } catch let problem as EntryProblem {
            return .undecodable(problem.description)
        } catch {
            return .undecodable("\(error)")
        }
    }
}
