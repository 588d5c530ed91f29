import Broker
import Events
import RedisClient
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(10))) struct WorkStreamsPositionTests {
    private struct Group: Equatable {
        var position: String
        var lag: Int64?
    }

    private func group(_ fixture: BrokerFixture, _ shard: Shard = 0) async throws -> Group {
        let groups = try await fixture.redis.send(RedisCommand("XINFO", "GROUPS", .string(fixture.keys.firehoseLive(shard)))).array()
        #expect(groups.count == 1)
        var fields: [String: RedisValue] = [:]
        let parts = try groups[0].array()
        for index in stride(from: 0, to: parts.count, by: 2) { fields[try parts[index].string()] = parts[index + 1] }
        #expect(try fields["name"]?.string() == "weir")
        return Group(position: try fields["last-delivered-id"]?.string() ?? "", lag: try fields["lag"]?.optional()?.integer())
    }

    private func appended(_ fixture: BrokerFixture, _ count: Int64) async throws -> [EntryID] {
        let results = await fixture.streams.append((0..<count).map { BrokerFixture.commit(n: $0) })
        return results.compactMap(BrokerFixture.id)
    }

    @Test("a missing stream is made with its group at the position, and no later entry can get an id below it") func prepares() async throws {
        let fixture = try await BrokerFixture()
        // A position that this server's clock will not reach for centuries: as after a clock step or a fail-over.
        let committed = EntryID(milliseconds: 9_000_000_000_000_000, sequence: 5)
        #expect(try await fixture.streams.prepare(0, committed: committed) == 0)
        #expect(try await group(fixture).position == committed.description)
        let id = try await appended(fixture, 1)[0]
        #expect(id > committed)
        // Repeated, it changes nothing, and never turns the ids back.
        _ = try await fixture.streams.prepare(0, committed: .zero)
        #expect(try await appended(fixture, 1)[0] > id)
        try await fixture.end()
    }

    @Test("a group that is made late starts at the position and not at the end") func neverAtTheEnd() async throws {
        let fixture = try await BrokerFixture()
        let ids = try await appended(fixture, 3)
        try await fixture.streams.prepare(0, committed: ids[0])
        #expect(try await group(fixture).position == ids[0].description)
        try await fixture.end()
    }

    @Test("the mirrored position gives a true lag, and an older one is ignored") func mirrors() async throws {
        let fixture = try await BrokerFixture()
        let base = try #require(try await fixture.streams.prepare(0, committed: .zero))
        let ids = try await appended(fixture, 5)
        try await fixture.streams.mirror(0, committed: ids[1], trimBelow: nil, entriesRead: base + 2)
        #expect(try await group(fixture) == Group(position: ids[1].description, lag: 3))
        try await fixture.streams.mirror(0, committed: ids[0], trimBelow: nil, entriesRead: base + 1)
        #expect(try await group(fixture).position == ids[1].description)
        #expect(try await fixture.streams.prepare(0, committed: ids[1]) == 2)
        // At the end of the stream the lag is known without being told.
        try await fixture.streams.mirror(0, committed: ids[4], trimBelow: ids[3])
        #expect(try await group(fixture) == Group(position: ids[4].description, lag: 0))
        #expect(try await fixture.streams.levels().entries[0] == 2)
        try await fixture.end()
    }

    @Test("what is not committed is never trimmed, whatever is asked for") func neverTrimsUncommitted() async throws {
        let fixture = try await BrokerFixture()
        try await fixture.streams.prepare(0, committed: .zero)
        let ids = try await appended(fixture, 4)
        try await fixture.streams.mirror(0, committed: ids[1], trimBelow: EntryID(milliseconds: .max, sequence: .max))
        let left = try await fixture.streams.inspect(stream: fixture.keys.firehoseLive(0), id: nil, count: 10)
        #expect(left.map(\.id) == [ids[3], ids[2]])
        try await fixture.end()
    }

    @Test("a key of another type is corruption, said with the key's name") func wrongType() async throws {
        let fixture = try await BrokerFixture()
        try await fixture.redis.send(RedisCommand("SET", .string(fixture.keys.firehoseLive(0)), "x"))
        let error = await #expect(throws: BrokerError.self) { try await fixture.streams.prepare(0, committed: .zero) }
        #expect(error?.code == .corrupt)
        #expect(error?.place.contains(fixture.keys.firehoseLive(0)) == true)
        #expect(BrokerFixture.refusal(await fixture.streams.append([BrokerFixture.commit(n: 1)]).first) == .corrupt)
        try await fixture.end()
    }
}
