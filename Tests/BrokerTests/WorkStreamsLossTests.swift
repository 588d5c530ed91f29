import Broker
import Events
import NIOCore
import RedisClient
import TestSupport
import Testing

/// Redis loses, fills up, goes away.
@Suite(.timeLimit(.minutes(10))) struct WorkStreamsLossTests {
    @Test("after a FLUSHALL a reader goes on from its position, also where the clock went back", arguments: [true, false])
    func flush(deletesOneStreamOnly: Bool) async throws {
        let server = try await PrivateRedis.start()
        let fixture = try await BrokerFixture(url: server.url)
        let committed = EntryID(milliseconds: 9_000_000_000_000_000, sequence: 0)
        try await fixture.streams.prepare(0, committed: committed)
        let before = try #require(await fixture.streams.append([BrokerFixture.commit(n: 1)]).first.flatMap(BrokerFixture.id))
        try await fixture.streams.withReader(of: 0) { reader in
            #expect(try await reader.read(after: committed, count: 10, block: .zero).map(\.id) == [before])
            let loss = deletesOneStreamOnly ? RedisCommand("DEL", .string(fixture.keys.firehoseLive(0))) : RedisCommand("FLUSHALL")
            try await fixture.redis.send(loss)
            #expect(try await reader.read(after: before, count: 10, block: .milliseconds(5)).isEmpty)
            let after = await fixture.streams.append([BrokerFixture.commit(n: 2)])
            let read = try await reader.read(after: before, count: 10, block: .seconds(5))
            #expect(read.map { BrokerFixture.entry($0)?.n } == [2])
            #expect(read.map(\.id) == after.map(BrokerFixture.id))
        }
        // A commit after a loss makes the group again.
        try await fixture.redis.send(RedisCommand("FLUSHALL"))
        try await fixture.streams.mirror(0, committed: before, trimBelow: before)
        let groups = try await fixture.redis.send(RedisCommand("XINFO", "GROUPS", .string(fixture.keys.firehoseLive(0)))).array()
        #expect(groups.count == 1)
        await fixture.redis.shutDown()
        await server.stop()
    }

    @Test("a full Redis takes one entry of a pipeline and refuses the next; positions and trims still work") func outOfMemory() async throws {
        let server = try await PrivateRedis.start()
        let fixture = try await BrokerFixture(url: server.url)
        try await fixture.streams.prepare(0, committed: .zero)
        let ids = await fixture.streams.append((0..<3).map { BrokerFixture.commit(n: $0, frame: [UInt8](repeating: 1, count: 100_000)) })
            .compactMap(BrokerFixture.id)
        let used = try await fixture.streams.levels().usedMemory
        try await fixture.redis.send(RedisCommand("CONFIG", "SET", "maxmemory", .integer(used + 2_000_000)))
        let frame = [UInt8](repeating: 1, count: 4_000_000)
        // The first large one goes in while there is still room, and leaves none.
        let results = await fixture.streams.append([
            BrokerFixture.commit(n: 3), BrokerFixture.commit(n: 4, frame: frame), BrokerFixture.commit(n: 5), BrokerFixture.commit(n: 6),
        ])
        let refused = results.compactMap(BrokerFixture.refusal)
        #expect(!refused.isEmpty && refused.allSatisfy { $0 == .outOfMemory })
        #expect(results.count == 4)
        let levels = try await fixture.streams.levels()
        #expect(levels.maxMemory == used + 2_000_000 && levels.usedMemory > 0)
        try await fixture.redis.send(RedisCommand("CONFIG", "SET", "maxmemory", "1mb"))
        #expect(BrokerFixture.refusal(await fixture.streams.append([BrokerFixture.commit(n: 7)]).first) == .outOfMemory)
        try await fixture.streams.prepare(0, committed: ids[0])
        try await fixture.streams.mirror(0, committed: ids[2], trimBelow: ids[2])
        #expect(try await fixture.streams.inspect(stream: fixture.keys.firehoseLive(0), id: ids[2], count: 9).map(\.id) == [ids[2]])
        await fixture.redis.shutDown()
        await server.stop()
    }

    @Test("a connection cut in mid-reply: what was answered is written, the rest unknown, and none of it is lost") func cut() async throws {
        let server = try await PrivateRedis.start()
        let proxy = try await FaultyServer.start(target: ("127.0.0.1", server.port))
        let fixture = try await BrokerFixture(url: "redis://127.0.0.1:\(proxy.port)") { $0.connectionCount = 1 }
        _ = await fixture.streams.append([BrokerFixture.commit(n: 0)])
        // Each answer is `$15\r\n<13 digits>-0\r\n`, 22 bytes.
        proxy.set(.cutReplies(afterBytes: 50))
        let results = await fixture.streams.append((1...5).map { BrokerFixture.commit(n: $0) })
        #expect(results.prefix(2).compactMap(BrokerFixture.id).count == 2)
        for result in results.dropFirst(2) {
            guard case .unknown(let error) = result else {
                Issue.record("not unknown: \(result)")
                continue
            }
            #expect(error.code == .unavailable)
        }
        #expect(results.count == 5)
        let direct = try await BrokerFixture(url: server.url)
        let length = try await direct.redis.send(RedisCommand("XLEN", .string(fixture.keys.firehoseLive(0)))).integer()
        #expect(length == 6)
        await fixture.redis.shutDown()
        await direct.redis.shutDown()
        await proxy.stop()
        await server.stop()
    }

    @Test("without a server every item is refused as unavailable, since nothing was sent") func nobody() async throws {
        let fixture = try await BrokerFixture(url: "redis://127.0.0.1:\(FreePort.choose())")
        let results = await fixture.streams.append([BrokerFixture.commit(n: 0), BrokerFixture.commit(n: 1)])
        #expect(results.map(BrokerFixture.refusal) == [.unavailable, .unavailable])
        let error = await #expect(throws: BrokerError.self) { try await fixture.streams.withReader(of: 0) { _ in } }
        #expect(error?.code == .unavailable)
        await fixture.redis.shutDown()
    }

    @Test("a replica is not writable, which is told apart from full") func replica() async throws {
        let server = try await PrivateRedis.start(arguments: ["--replicaof", "127.0.0.1 1"])
        let fixture = try await BrokerFixture(url: server.url)
        #expect(BrokerFixture.refusal(await fixture.streams.append([BrokerFixture.commit(n: 0)]).first) == .notWritable)
        await fixture.redis.shutDown()
        await server.stop()
    }
}
