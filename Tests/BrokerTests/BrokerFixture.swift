import Broker
import Events
import NIOCore
import RedisClient
import TestSupport

/// Streams under a prefix of their own, on the shared server or on a given one.
struct BrokerFixture {
    let redis: RedisClient
    let streams: WorkStreams
    let outlets: OutletStreams
    let keys: StreamKeys

    init(url: String? = nil, shards: Int = 4, settings: (inout RedisConfiguration) -> Void = { _ in }) async throws {
        var configuration = try await SharedServers.redis(url: url)
        configuration.reconnectDelayMin = .milliseconds(5)
        configuration.reconnectDelayMax = .milliseconds(50)
        settings(&configuration)
        redis = RedisClient(configuration)
        keys = StreamKeys(prefix: RandomName.prefix())
        streams = WorkStreams(redis: redis, keys: keys, shards: ShardMap(count: shards))
        outlets = OutletStreams(redis: redis, keys: keys)
    }

    /// Deletes what the test wrote and closes the connections.
    func end() async throws {
        let names = try await redis.send(RedisCommand("KEYS", .string("\(keys.prefix)*"))).array()
        if !names.isEmpty {
            let deletion = RedisCommand("DEL", try names.map { name throws(RedisError) in .buffer(try name.buffer()) })
            try await redis.send(deletion)
        }
        await redis.shutDown()
    }

    static func commit(n: Int64, shard: Shard = 0, frame: [UInt8] = [1, 0, 13, 10, 255]) -> AppendItem {
        let entry = UpstreamEntry(
            host: "relay.test", session: 7, n: n, position: Position(epoch: 0, seq: 1000 + n), kind: .commit, did: "did:plc:x", rev: "3k\(n)",
            time: "2026-01-01T00:00:00Z")
        return AppendItem(shard: shard, entry: entry, frame: ByteBuffer(bytes: frame))
    }

    static func id(_ result: AppendResult?) -> EntryID? {
        if case .written(let id) = result { return id }
        return nil
    }

    static func refusal(_ result: AppendResult?) -> BrokerError.Code? {
        if case .refused(let error) = result { return error.code }
        return nil
    }

    static func entry(_ entry: ReadEntry?) -> UpstreamEntry? {
        if case .entry(let entry) = entry?.content { return entry }
        return nil
    }
}
