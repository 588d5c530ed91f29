public import Events
public import RedisClient

/// Runs' outlet streams in Redis: what is published, by seq. The id of an entry is `<seq>-0`, so Redis itself refuses a second copy.
///
/// An entry has the fields of `LogEvent` in the order `kind did rev collection rkey action cid live host time mark logged body`, empty ones left out.
public struct OutletStreams: Sendable {
    public let keys: StreamKeys
    private let redis: RedisClient

    public init(redis: RedisClient, keys: StreamKeys) {
        self.redis = redis
        self.keys = keys
    }

    public enum PublishResult: Hashable, Sendable {
        /// All are in the stream now, newly or from before a crash.
        case published
        /// The stream's top is above the run's last seq: foreign entries; delete and rebuild.
        case foreign(top: EntryID)
    }

    /// Publishes events of one run in seq order as one transaction, then trims to about `keep` entries.
    ///
    /// A refusal for an id at or below the top counts as done where the top is ≤ `lastSeq`.
    /// - Throws: on the first error that is not such a refusal. Nothing of this call is published then where Redis answered (a full Redis
    ///   refuses the transaction as a whole); after a lost connection all of it or nothing is, and publishing again is right.
    public func publish(_ events: [LogEvent], run: RunID, lastSeq: Int64, keep: Int) async throws(BrokerError) -> PublishResult {
        if events.isEmpty { return .published }
        let key = keys.outlet(run: run)
        var batch = RedisBatch(capacityBytes: events.reduce(0) { $0 + 512 + $1.body.count })
        batch.append("MULTI")
        for event in events { LogEventCodec.append(event, key: key, to: &batch) }
        batch.append("XTRIM", .string(key), "MAXLEN", "~", .integer(max(keep, 1)))
        batch.append("XINFO", "STREAM", .string(key))
        batch.append("EXEC")
        let place = "publish \(key)"
        let replies = try await redis.brokered(batch, affinity: affinity(run))
        // Why a command was not queued says more than the EXECABORT that follows from it.
        if let error = replies.lazy.compactMap(\.serverError).first { throw BrokerError(error, place: place) }
        return try brokered(at: place) { () throws(RedisError) in
            let results = try replies[replies.count - 1].array()
            var isRefused = false
            for result in results.dropLast(2) {
                guard let error = result.serverError else { continue }
                guard error.kind == .xaddIDTooSmall else { throw RedisError(error) }
                isRefused = true
            }
            guard isRefused, let info = results.last else { return .published }
            let state = try StreamState([info, .array([])])
            guard let top = state.lastID, top > EntryID(milliseconds: UInt64(max(lastSeq, 0)), sequence: 0) else { return .published }
            return .foreign(top: top)
        }
    }

    /// Trims to about `keep` entries; a full Redis takes that too.
    public func trim(run: RunID, keep: Int) async throws(BrokerError) {
        let key = keys.outlet(run: run)
        let replies = try await redis.brokered(
            RedisBatch(RedisCommand("XTRIM", .string(key), "MAXLEN", "~", .integer(max(keep, 1)))), affinity: affinity(run))
        _ = try brokered(at: "XTRIM \(key)") { () throws(RedisError) in try replies[0].get() }
    }

    public func memory() async throws(BrokerError) -> BrokerMemory {
        let replies = try await redis.brokered(RedisBatch(BrokerMemory.command))
        return try brokered(at: "INFO memory") { () throws(RedisError) in BrokerMemory(info: try replies[0].string()) }
    }

    /// Deletes an outlet, to be rebuilt from the log.
    public func delete(run: RunID) async throws(BrokerError) {
        let key = keys.outlet(run: run)
        let replies = try await redis.brokered(RedisBatch(RedisCommand("UNLINK", .string(key))), affinity: affinity(run))
        _ = try brokered(at: "UNLINK \(key)") { () throws(RedisError) in try replies[0].get() }
    }

    /// Events with seq > `after`, at most `count`; the first may be above `after + 1` (trimmed: read the ledger).
    /// - Throws: `corrupt` where an entry is not what Weir publishes: read the ledger.
    public func read(run: RunID, after: Int64, count: Int) async throws(BrokerError) -> [LogEvent] {
        let key = keys.outlet(run: run)
        let command = RedisCommand("XRANGE", .string(key), .string("(\(max(after, 0))-0"), "+", "COUNT", .integer(max(count, 1)))
        let replies = try await redis.brokered(RedisBatch(command), affinity: affinity(run))
        let raw = try brokered(at: "XRANGE \(key)") { () throws(RedisError) in try RawEntry.list(replies[0]) }
        return try Self.events(raw, run: run, key: key)
    }

    /// A follower with a connection of its own: one blocking read over many runs.
    /// - Throws: what `body` throws; a ``BrokerError`` where no connection could be made.
    nonisolated(nonsending) public func withFollower<Result>(_ body: (OutletFollower) async throws -> Result) async throws -> Result {
        do {
            return try await redis.withDedicatedConnection { connection in try await body(OutletFollower(keys: keys, connection: connection)) }
        } catch let error as RedisError {
            throw BrokerError(error)
        }
    }

    static func events(_ raw: [RawEntry], run: RunID, key: String) throws(BrokerError) -> [LogEvent] {
        var events: [LogEvent] = []
        events.reserveCapacity(raw.count)
        for entry in raw {
            let fields = try brokered(at: key) { () throws(RedisError) in try entry.pairs() }
            do {
                events.append(try LogEventCodec.decode(run: run, id: entry.id, fields))
            } catch {
                throw BrokerError(code: .corrupt, message: "entry \(entry.id): \(error)", place: key)
            }
        }
        return events
    }

    private func affinity(_ run: RunID) -> Int { run.liveShard ?? ShardMap(count: 64).shard(of: run.description) }
}
