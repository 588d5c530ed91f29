import Broker
import Events
import RedisClient
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(10))) struct OutletStreamsTests {
    private let run = RunID.firehose(3)

    private func events(_ seqs: ClosedRange<Int64>, body: Int = 20) -> [LogEvent] {
        seqs.map { seq in
            LogEvent(
                run: run, seq: seq, kind: .record, did: "did:plc:\(seq)", rev: "3k", collection: "app.bsky.feed.post", rkey: "r", action: .create,
                cid: "bafy", live: seq.isMultiple(of: 2), host: "relay", time: "t", mark: seq == 1 ? "chain" : "",
                loggedAt: WallTime(microseconds: 1_000_000 + seq), body: [UInt8](repeating: UInt8(seq & 0x7f), count: body))
        }
    }

    @Test("events are read as they were published, after a seq and up to a count") func roundTrip() async throws {
        let fixture = try await BrokerFixture()
        var all = events(1...5)
        all[1] = LogEvent(run: run, seq: 2, kind: .identity, did: "did:web:é", live: false, body: Array("{}".utf8))
        all[4] = LogEvent(run: run, seq: 5, kind: .terminal, did: "", live: false)
        #expect(try await fixture.outlets.publish(all, run: run, lastSeq: 5, keep: 1000) == .published)
        #expect(try await fixture.outlets.read(run: run, after: 0, count: 10) == all)
        #expect(try await fixture.outlets.read(run: run, after: 2, count: 2) == Array(all[2...3]))
        #expect(try await fixture.outlets.read(run: run, after: 5, count: 2).isEmpty)
        #expect(try await fixture.outlets.read(run: .firehose(1), after: 0, count: 2).isEmpty)
        try await fixture.end()
    }

    @Test("published again, in whole or in part, each event stands once") func again() async throws {
        let fixture = try await BrokerFixture()
        for range in [1...3, 1...3, 2...6, 1...6] as [ClosedRange<Int64>] {
            #expect(try await fixture.outlets.publish(events(range), run: run, lastSeq: 6, keep: 1000) == .published)
        }
        #expect(try await fixture.outlets.read(run: run, after: 0, count: 100) == events(1...6))
        try await fixture.end()
    }

    @Test("an outlet whose top is above the run's last seq is foreign, and is rebuilt after a delete", arguments: ["100-0", "3-1"])
    func foreign(top: String) async throws {
        let fixture = try await BrokerFixture()
        try await fixture.redis.send(RedisCommand("XADD", .string(fixture.keys.outlet(run: run)), .string(top), "a", "b"))
        let result = try await fixture.outlets.publish(events(1...3), run: run, lastSeq: 3, keep: 1000)
        #expect(result == .foreign(top: try #require(EntryID(top))))
        let error = await #expect(throws: BrokerError.self) { try await fixture.outlets.read(run: run, after: 0, count: 10) }
        #expect(error?.code == .corrupt)
        try await fixture.outlets.delete(run: run)
        #expect(try await fixture.outlets.publish(events(1...3), run: run, lastSeq: 3, keep: 1000) == .published)
        #expect(try await fixture.outlets.read(run: run, after: 0, count: 10) == events(1...3))
        try await fixture.end()
    }

    @Test("a long outlet is trimmed, and its reader sees where it begins") func trims() async throws {
        let fixture = try await BrokerFixture()
        for start in stride(from: Int64(1), to: 1000, by: 100) {
            _ = try await fixture.outlets.publish(events(start...start + 99), run: run, lastSeq: 1000, keep: 200)
        }
        let left = try await fixture.outlets.read(run: run, after: 0, count: 2000)
        #expect(left.count >= 200 && left.count < 500)
        #expect(left.last?.seq == 1000)
        #expect((left.first?.seq ?? 0) > 1)
        // Published once more after the trim, the repeats are still refused, and no old event comes back.
        #expect(try await fixture.outlets.publish(events(1...50), run: run, lastSeq: 1000, keep: 200) == .published)
        #expect(try await fixture.outlets.read(run: run, after: 0, count: 2000).first?.seq == left.first?.seq)
        try await fixture.end()
    }

    @Test("a full Redis refuses a publication as a whole: no event stands without those before it") func outOfMemory() async throws {
        let server = try await PrivateRedis.start()
        let fixture = try await BrokerFixture(url: server.url)
        _ = try await fixture.outlets.publish(events(1...2), run: run, lastSeq: 9, keep: 1000)
        try await fixture.redis.send(RedisCommand("CONFIG", "SET", "maxmemory", "100kb"))
        let error = await #expect(throws: BrokerError.self) {
            try await fixture.outlets.publish(events(3...9), run: run, lastSeq: 9, keep: 1000)
        }
        #expect(error?.code == .outOfMemory)
        try await fixture.redis.send(RedisCommand("CONFIG", "SET", "maxmemory", "0"))
        #expect(try await fixture.outlets.read(run: run, after: 0, count: 10).map(\.seq) == [1, 2])
        #expect(try await fixture.outlets.publish(events(3...9), run: run, lastSeq: 9, keep: 1000) == .published)
        #expect(try await fixture.outlets.read(run: run, after: 0, count: 10).map(\.seq) == Array(1...9))
        await fixture.redis.shutDown()
        await server.stop()
    }

    @Test("a follower waits on many outlets and gets what is new on each") func follows() async throws {
        let fixture = try await BrokerFixture()
        let other = try #require(RunID("backfill/1"))
        _ = try await fixture.outlets.publish(events(1...3), run: run, lastSeq: 9, keep: 1000)
        try await fixture.outlets.withFollower { follower in
            let first = try await follower.read(after: [run: 1, other: 0], countPerRun: 10, block: .seconds(5))
            #expect(first.mapValues { $0.map(\.seq) } == [run: [2, 3]])
            #expect(try await follower.read(after: [run: 3, other: 0], countPerRun: 10, block: .milliseconds(5)).isEmpty)
            async let waiting = follower.read(after: [run: 3, other: 0], countPerRun: 10, block: .seconds(60))
            let event = LogEvent(run: other, seq: 1, kind: .account, did: "did:plc:a", live: false)
            _ = try await fixture.outlets.publish([event], run: other, lastSeq: 1, keep: 1000)
            #expect(try await waiting == [other: [event]])
            #expect(try await follower.read(after: [:], countPerRun: 1, block: .seconds(5)).isEmpty)
        }
        try await fixture.end()
    }
}
