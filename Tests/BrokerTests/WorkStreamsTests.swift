import Broker
import Events
import NIOCore
import RedisClient
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(10))) struct WorkStreamsTests {
    private static let everyKind: [UpstreamEntry] = [
        UpstreamEntry(
            host: "relay.test:2583", session: 1, n: 0, position: Position(epoch: 2, seq: 5), kind: .open,
            gap: .init(after: Position(epoch: 1, seq: 3), through: Position(epoch: 2, seq: 5))),
        UpstreamEntry(
            host: "r", session: .max, n: .max, position: Position(epoch: .max, seq: 1 << 53 - 1), kind: .commit, did: "did:plc:é", rev: "3kabc",
            time: "2026-01-01T00:00:00.000Z", frame: [0, 1, 2, 255, 13, 10]),
        UpstreamEntry(
            host: "r", session: 1, n: 2, position: Position(epoch: 0, seq: 6), kind: .sync, did: "did:web:x", rev: "3k", time: "t", frame: [1]),
        UpstreamEntry(host: "r", session: 1, n: 3, position: Position(epoch: 0, seq: 7), kind: .identity, did: "did:plc:y", time: "t", frame: [1]),
        UpstreamEntry(host: "r", session: 1, n: 4, position: Position(epoch: 0, seq: 8), kind: .account, did: "did:plc:y", time: "t", frame: [1]),
        UpstreamEntry(host: "did:plc:l", session: 1, n: 4, position: Position(epoch: 0, seq: 8), kind: .labels, frame: [1, 2]),
        UpstreamEntry(host: "r", session: 1, n: 5, position: Position(epoch: 0, seq: 9), kind: .malformed, frame: [9, 9]),
        UpstreamEntry(host: "r", session: 1, n: 6, position: Position(epoch: 0, seq: 10), kind: .unknown, time: "t", frame: [9]),
        UpstreamEntry(host: "r", session: 1, n: 7, position: Position(epoch: 0, seq: 10), kind: .barrier),
        UpstreamEntry(host: "r", session: 1, n: 8, position: Position(epoch: 0, seq: 10), kind: .barrier, shed: true),
    ]

    @Test("every kind of entry is read as it was appended, in order, whether its frame came as a buffer or in the entry") func roundTrip()
        async throws
    {
        let fixture = try await BrokerFixture()
        for asBuffer in [false, true] {
            let shard = asBuffer ? 1 : 0
            let items = Self.everyKind.map { entry in
                var bare = entry
                if asBuffer { bare.frame = [] }
                return AppendItem(shard: shard, entry: bare, frame: asBuffer && !entry.frame.isEmpty ? ByteBuffer(bytes: entry.frame) : nil)
            }
            let ids = await fixture.streams.append(items).map(BrokerFixture.id)
            let read = try await fixture.streams.withReader(of: shard) { try await $0.read(after: .zero, count: 100, block: .zero) }
            #expect(read.map(\.id) == ids)
            #expect(read.map(BrokerFixture.entry) == Self.everyKind)
            #expect(read.allSatisfy { $0.size > 20 })
        }
        try await fixture.end()
    }

    @Test("topics have streams, positions, levels and hints of their own, also of one host") func topics() async throws {
        let fixture = try await BrokerFixture()
        let labels = fixture.streams.on(.labels)
        let ids = await labels.append([BrokerFixture.commit(n: 1), BrokerFixture.commit(n: 2)]).compactMap(BrokerFixture.id)
        #expect(ids.count == 2)
        #expect(try await fixture.streams.levels().entries == [0, 0, 0, 0])
        #expect(try await labels.levels().entries == [2, 0, 0, 0])
        #expect(try await labels.inspect(stream: fixture.keys.labelLive(0), id: nil, count: 9).map(\.id) == ids.reversed())
        #expect(fixture.keys.labelLive(3).hasSuffix("label_live:{3}"))
        let read = try await fixture.streams.withReader(of: 0) { try await $0.read(after: .zero, count: 100, block: .zero) }
        #expect(read.isEmpty)
        try await labels.prepare(0, committed: ids[0])
        try await labels.mirror(0, committed: ids[1], trimBelow: ids[1])
        #expect(try await labels.levels().entries == [1, 0, 0, 0])

        try await fixture.streams.setCursorHint(CursorHint(session: 1, position: Position(epoch: 0, seq: 7)), host: "both.test")
        #expect(try await labels.cursorHint(host: "both.test") == nil)
        try await labels.setCursorHint(CursorHint(session: 2, position: Position(epoch: 1, seq: 3)), host: "both.test")
        #expect(try await labels.cursorHint(host: "both.test")?.position == Position(epoch: 1, seq: 3))
        #expect(try await fixture.streams.cursorHint(host: "both.test")?.position == Position(epoch: 0, seq: 7))
        try await fixture.end()
    }

    @Test("a person sees the readable fields first and the frame last") func fieldOrder() async throws {
        let fixture = try await BrokerFixture()
        _ = await fixture.streams.append([BrokerFixture.commit(n: 1), BrokerFixture.commit(n: 2)])
        let entries = try await fixture.streams.inspect(stream: fixture.keys.firehoseLive(0), id: nil, count: 1)
        #expect(entries.first?.fields.map(\.name) == ["host", "session", "n", "epoch", "seq", "kind", "did", "rev", "time", "frame"])
        #expect(entries.first?.fields[2].value == Array("2".utf8))
        try await fixture.end()
    }

    @Test(
        "what Weir does not write is returned as undecodable, with its id",
        arguments: [
            ["kind", "commit"], ["host", "h", "session", "x", "n", "1", "epoch", "0", "seq", "1", "kind", "commit"],
            ["host", "h", "session", "1", "n", "-1", "epoch", "0", "seq", "1", "kind", "commit"],
            ["host", "h", "session", "1", "n", "1", "epoch", "9999999999", "seq", "1", "kind", "commit"],
            ["host", "h", "session", "1", "n", "1", "epoch", "0", "seq", "9007199254740993", "kind", "barrier"],
            ["host", "h", "session", "1", "n", "1", "epoch", "0", "seq", "1", "kind", "party"],
            ["host", "h", "host", "h", "session", "1", "n", "1", "epoch", "0", "seq", "1", "kind", "commit"],
            ["host", "h", "session", "1", "n", "0", "epoch", "0", "seq", "1", "kind", "open", "gap", "0:1"],
            ["host", "h", "session", "1", "n", "0", "epoch", "0", "seq", "1", "kind", "barrier", "shed", "no"],
        ])
    func undecodable(fields: [String]) async throws {
        let fixture = try await BrokerFixture()
        let key = RedisArgument.string(fixture.keys.firehoseLive(2))
        let id = try await fixture.redis.send(RedisCommand("XADD", [key, "*"] + fields.map { .string($0) })).string()
        let read = try await fixture.streams.withReader(of: 2) { try await $0.read(after: .zero, count: 10, block: .zero) }
        #expect(read.map(\.id.description) == [id])
        #expect(read.first.flatMap(BrokerFixture.entry) == nil)
        try await fixture.end()
    }

    @Test("fields that a newer version may add are passed over") func unknownField() async throws {
        let fixture = try await BrokerFixture()
        let fields = ["host", "h", "session", "1", "n", "3", "epoch", "0", "seq", "1", "kind", "barrier", "colour", "red"]
        try await fixture.redis.send(RedisCommand("XADD", [.string(fixture.keys.firehoseLive(2)), "*"] + fields.map { .string($0) }))
        let read = try await fixture.streams.withReader(of: 2) { try await $0.read(after: .zero, count: 10, block: .zero) }
        #expect(read.first.flatMap(BrokerFixture.entry)?.n == 3)
        try await fixture.end()
    }

    @Test("a read waits for entries, and gets those after its position only") func blocking() async throws {
        let fixture = try await BrokerFixture()
        let first = try #require(await fixture.streams.append([BrokerFixture.commit(n: 1)]).first.flatMap(BrokerFixture.id))
        let got = try await fixture.streams.withReader(of: 0) { reader in
            async let read = reader.read(after: first, count: 10, block: .seconds(60))
            _ = await fixture.streams.append([BrokerFixture.commit(n: 2)])
            return try await read
        }
        #expect(got.map { BrokerFixture.entry($0)?.n } == [2])
        try await fixture.end()
    }

    @Test("a reply stays near its bound in bytes however large the entries are") func boundedBytes() async throws {
        let fixture = try await BrokerFixture()
        let frame = [UInt8](repeating: 1, count: 50_000)
        _ = await fixture.streams.append((0..<60).map { BrokerFixture.commit(n: $0, frame: frame) })
        let sizes = try await fixture.streams.withReader(of: 0, replyBytesMax: 200_000) { reader in
            var position = EntryID.zero
            var sizes: [Int] = []
            while let read = Optional(try await reader.read(after: position, count: 1000, block: .zero)), let last = read.last {
                position = last.id
                sizes.append(read.reduce(0) { $0 + $1.size })
            }
            return sizes
        }
        #expect(sizes.reduce(0, +) > 3_000_000)
        // The first reply is asked for with a guess; the rest know better.
        #expect(sizes.dropFirst().allSatisfy { $0 <= 200_000 })
        try await fixture.end()
    }

    @Test("levels count entries and bytes by shard") func levels() async throws {
        let fixture = try await BrokerFixture()
        _ = await fixture.streams.append([
            BrokerFixture.commit(n: 1, shard: 1), BrokerFixture.commit(n: 1, shard: 3), BrokerFixture.commit(n: 2, shard: 3),
        ])
        let levels = try await fixture.streams.levels()
        #expect(levels.entries == [0, 1, 0, 2])
        #expect(levels.bytes[0] == 0 && levels.bytes[1] > 100 && levels.bytes[3] > 100)
        #expect(levels.usedMemory > 100_000)
        try await fixture.end()
    }

    @Test("a cursor hint is read as it was set; none or a strange one is nil") func hints() async throws {
        let fixture = try await BrokerFixture()
        #expect(try await fixture.streams.cursorHint(host: "r") == nil)
        let hint = CursorHint(session: 9, position: Position(epoch: 1, seq: 44))
        try await fixture.streams.setCursorHint(hint, host: "r")
        #expect(try await fixture.streams.cursorHint(host: "r") == hint)
        try await fixture.redis.send(RedisCommand("SET", .string(fixture.keys.cursorHint(host: "r")), "what"))
        #expect(try await fixture.streams.cursorHint(host: "r") == nil)
        try await fixture.end()
    }
}
