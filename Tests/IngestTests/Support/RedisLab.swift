import Broker
import Events
import NIOCore
import RedisClient
import TestSupport

@testable import Ingest

/// A lab whose streams are real: what stands in Redis is read by plain readers, and handed to the workers of the fleet in memory.
struct RedisLab: Sendable {
    let lab: IngestLab
    let streams: WorkStreams
    let redis: RedisClient

    static func run(
        url: String, shards: Int = 4, change: @escaping @Sendable (inout FeedIngesterConfiguration) -> Void = { _ in },
        _ body: @escaping @Sendable (RedisLab) async throws -> Void
    ) async throws {
        let redis = RedisClient(try await SharedServers.redis(url: url))
        let keys = StreamKeys(prefix: RandomName.prefix())
        let streams = WorkStreams(redis: redis, keys: keys, shards: ShardMap(count: shards))
        try await IngestLab.run(shards: shards, streams: streams, change: change) { lab in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for shard in 0..<shards { group.addTask { await follow(shard, streams, lab.fleet) } }
                try await body(RedisLab(lab: lab, streams: streams, redis: redis))
                group.cancelAll()
            }
        }
        var cleanUp = RedisBatch()
        for shard in 0..<shards { cleanUp.append("DEL", .string(keys.firehoseLive(shard))) }
        _ = try? await redis.send(cleanUp)
        await redis.shutDown()
    }

    /// A worker's reader: goes on behind its last entry, also after Redis lost it.
    private static func follow(_ shard: Shard, _ streams: WorkStreams, _ fleet: MemoryFleet) async {
        var position = EntryID.zero
        while !Task.isCancelled {
            try? await streams.withReader(of: shard) { reader in
                while !Task.isCancelled {
                    let entries = try await reader.read(after: position, count: 500, block: .milliseconds(50))
                    guard let last = entries.last else { continue }
                    position = last.id
                    fleet.change { state in
                        for case .entry(let entry) in entries.map(\.content) { state.streams[shard].append(entry) }
                    }
                    try await streams.mirror(shard, committed: position, trimBelow: position)
                }
            }
        }
    }
}
