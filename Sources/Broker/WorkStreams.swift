public import Events
import NIOCore
public import RedisClient

/// The sharded streams of one topic between ingesters and workers, in Redis: append, read, position, trim, levels.
///
/// Owns the names and shapes of entries (see `UpstreamEntry`). Does not own decisions: n, barriers, gates, offsets come from `Flow`
/// and the ledger. What a crash leaves behind: entries appended and not acknowledged, which are appended again under the same n.
public struct WorkStreams: Sendable {
    public let keys: StreamKeys
    public let shards: ShardMap
    public let topic: WorkTopic
    let redis: RedisClient

    public init(redis: RedisClient, keys: StreamKeys, shards: ShardMap, topic: WorkTopic = .firehose) {
        self.topic = topic
        self.redis = redis
        self.keys = keys
        self.shards = shards
    }

    /// The streams of another topic, over the same connections.
    public func on(_ topic: WorkTopic) -> WorkStreams { WorkStreams(redis: redis, keys: keys, shards: shards, topic: topic) }

    /// The stream of a shard.
    func key(_ shard: Shard) -> String { keys.work(topic, shard) }

    /// Appends the items in their order as one pipeline.
    ///
    /// All appends that begin with the same host and are of the same lane use the same connection, so one that starts after another returned follows
    /// it in Redis. Appends of different lanes may overtake each other.
    /// - Returns: one result an item, in the same order. Never throws: a lost connection makes the unanswered ones `unknown`. Where the
    ///   batch was not sent at all, every item is `refused` as `unavailable`.
    public func append(_ items: [AppendItem], lane: Int = 0) async -> [AppendResult] {
        guard let first = items.first else { return [] }
        var batch = RedisBatch(capacityBytes: items.count * 384)
        var encoder = UpstreamEntryEncoder(keys: keys, topic: topic, shards: shards)
        for item in items { encoder.append(item, to: &batch) }
        do {
            let replies = try await redis.send(batch, affinity: shards.shard(of: first.entry.host) + lane)
            return results(replies, of: items)
        } catch {
            let failure = BrokerError(error)
            let unanswered: AppendResult = error.mayHaveExecuted ? .unknown(failure) : .refused(failure)
            let answered = results(error.answered, of: items)
            return answered + Array(repeating: unanswered, count: items.count - answered.count)
        }
    }

    private func results(_ replies: [RedisValue], of items: [AppendItem]) -> [AppendResult] {
        (0..<min(replies.count, items.count)).map { result(replies[$0], shard: items[$0].shard) }
    }

    private func result(_ reply: RedisValue, shard: Shard) -> AppendResult {
        if case .bulk(let buffer) = reply, let id = EntryID(reply: buffer) { return .written(id) }
        let place = "XADD \(key(shard))"
        if case .error(let error) = reply { return .refused(BrokerError(error, place: place)) }
        return .unknown(BrokerError(code: .corrupt, message: "the answer is no id", place: place))
    }

    /// A reader of one shard with a connection of its own, for blocking reads.
    ///
    /// `body` gets the reader; the connection is closed when it returns or throws. After a failed attempt to connect, the next call waits
    /// for a pause with jitter first, so it may simply be called again.
    /// - Parameter replyBytesMax: about how large a reply may be; entries are asked for accordingly. Default 4 MiB.
    /// - Throws: what `body` throws; a ``BrokerError`` where no connection could be made.
    nonisolated(nonsending) public func withReader<Result>(
        of shard: Shard, replyBytesMax: Int = 4 << 20, _ body: (ShardReader) async throws -> Result
    ) async throws -> Result {
        do {
            return try await redis.withDedicatedConnection { connection in
                try await body(ShardReader(streams: self, shard: shard, connection: connection, replyBytesMax: replyBytesMax))
            }
        } catch let error as RedisError {
            throw BrokerError(error)
        }
    }

    /// How full the streams and Redis are.
    public func levels() async throws(BrokerError) -> BrokerLevels {
        var batch = RedisBatch()
        batch.append("INFO", "memory")
        batch.append("XLEN", .string(keys.repoBackfill))
        for shard in 0..<shards.count {
            batch.append("XLEN", .string(key(shard)))
            batch.append("MEMORY", "USAGE", .string(key(shard)))
        }
        let replies = try await redis.brokered(batch)
        return try brokered(at: "levels") { () throws(RedisError) in
            let info = try replies[0].string()
            var levels = BrokerLevels(
                entries: [], bytes: [], usedMemory: BrokerLevels.number("used_memory", inInfo: info),
                maxMemory: BrokerLevels.number("maxmemory", inInfo: info), queuedJobs: Int(try replies[1].integer()))
            for shard in 0..<shards.count {
                levels.entries.append(Int(try replies[2 + 2 * shard].integer()))
                levels.bytes.append(Int(try replies[3 + 2 * shard].optional()?.integer() ?? 0))
            }
            return levels
        }
    }

    /// Entries for a person to look at, newest first, from `id` (nil: the newest) downwards; `stream` is a full key name.
    public func inspect(stream: String, id: EntryID?, count: Int) async throws(BrokerError) -> [StreamEntry] {
        let batch = RedisBatch(
            RedisCommand("XREVRANGE", .string(stream), .string(id?.description ?? "+"), "-", "COUNT", .integer(max(count, 1))))
        let replies = try await redis.brokered(batch)
        return try brokered(at: "XREVRANGE \(stream)") { () throws(RedisError) in
            var entries: [StreamEntry] = []
            for raw in try RawEntry.list(replies[0]) {
                entries.append(StreamEntry(id: raw.id, fields: try raw.pairs().map { ($0.name, Array($0.value.readableBytesView)) }))
            }
            return entries
        }
    }

    /// Nil where there is none, or one that cannot be read.
    public func cursorHint(host: String) async throws(BrokerError) -> CursorHint? {
        let key = keys.cursorHint(host: host, topic: topic)
        let replies = try await redis.brokered(RedisBatch(RedisCommand("GET", .string(key))))
        return try brokered(at: "GET \(key)") { () throws(RedisError) in
            guard let value = try replies[0].optional() else { return nil }
            return CursorHint(text: try value.string())
        }
    }

    public func setCursorHint(_ hint: CursorHint, host: String) async throws(BrokerError) {
        let key = keys.cursorHint(host: host, topic: topic)
        let replies = try await redis.brokered(RedisBatch(RedisCommand("SET", .string(key), .string(hint.text))))
        _ = try brokered(at: "SET \(key)") { () throws(RedisError) in try replies[0].get() }
    }
}
