import Broker
import Events
import RedisClient
import Testing

@Suite("Backfill streams")
struct SnapshotStreamsTests {
    @Test("entries come back as they were written, in order")
    func roundTrip() async throws {
        let test = try await BrokerFixture()
        let streams = SnapshotStreams(redis: test.redis, keys: test.keys, shards: ShardMap(count: 4))
        let did = "did:plc:x"
        let record = SnapshotRecord(path: "app.bsky.feed.post/3k", cid: "bafy", body: Array("{\"a\":\"\\u0000\"}".utf8))
        let entries = [
            SnapshotEntry(did: did, attempt: 7, n: 0, kind: .open, host: "pds.test:1", rev: "3kaa", data: [1, 113, 18, 32, 255], isFork: true),
            SnapshotEntry(
                did: did, attempt: 7, n: 1, kind: .records, host: "pds.test:1", rev: "3kaa", after: "", through: record.path,
                records: [record, SnapshotRecord(path: "a/b", cid: "", body: [])]),
            SnapshotEntry(did: did, attempt: 7, n: 2, kind: .close, host: "pds.test:1", rev: "3kaa", count: 2),
            SnapshotEntry(did: did, attempt: 8, n: 0, kind: .absent, host: "pds.test:1", reason: "takendown"),
        ]
        try await streams.append(entries)
        let shard = ShardMap(count: 4).shard(of: did)
        let read = try await streams.read(shard, after: .zero, count: 10)
        #expect(read.map(\.content) == entries.map { .entry($0) })
        #expect(try await streams.lengths()[shard] == 4)
        try await streams.prepare(shard, committed: .zero)
        try await streams.mirror(shard, committed: read[2].id)
        #expect(try await streams.lengths()[shard] == 1)
        try await test.end()
    }

    @Test("what is no entry is said, not skipped")
    func undecodable() async throws {
        let test = try await BrokerFixture()
        let streams = SnapshotStreams(redis: test.redis, keys: test.keys, shards: ShardMap(count: 4))
        try await test.redis.send(
            "XADD", test.keys.firehoseBackfill(0), ["did": "did:x", "attempt": "1", "n": "0", "kind": "records", "frame": "abc"])
        guard case .undecodable(let why) = try await streams.read(0, after: .zero, count: 1).first?.content else {
            Issue.record("it was taken for an entry")
            return try await test.end()
        }
        #expect(why.contains("cut off"))
        try await test.end()
    }
}

extension RedisClient {
    fileprivate func send(_ name: String, _ key: String, _ fields: KeyValuePairs<String, String>) async throws {
        let arguments: [RedisArgument] = [.string(key), "*"] + fields.flatMap { [.string($0.key), .string($0.value)] as [RedisArgument] }
        try await send(RedisCommand(name, arguments))
    }
}
