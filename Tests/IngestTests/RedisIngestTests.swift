import Broker
import Events
import Flow
import Ledger
import RedisClient
import TestSupport
import Testing

@testable import Ingest

/// The ingester in front of a real Redis, and of one that burns.
@Suite(.timeLimit(.minutes(10))) struct RedisIngestTests {
    private func expectAll(_ numbers: ClosedRange<Int64>, _ lab: IngestLab) {
        let applied = lab.fleet.state.applied[lab.host] ?? [:]
        #expect(numbers.allSatisfy { applied[$0] != nil }, "missing: \(numbers.filter { applied[$0] == nil }.prefix(5))")
        #expect(applied.count == numbers.count)
    }

    private func wait(for seq: Int64, _ lab: IngestLab) async {
        await lab.fleet.until { $0.watermark(lab.host) == Position(epoch: 0, seq: seq) }
    }

    @Test("what a relay has stands in Redis once, in order, and the hint follows the barriers") func wholeStream() async throws {
        try await RedisLab.run(url: try await SharedServers.redisURL()) {
            $0.start = .earliest
        } _: { redis in
            let lab = redis.lab
            lab.relay.publish(1...5_000)
            try await lab.withGracefulReplica { await wait(for: 5_000, lab) }
            expectAll(1...5_000, lab)
            #expect(lab.fleet.state.rewinds == 0)
            #expect(lab.fleet.state.order.values.allSatisfy { $0 == $0.sorted() })
            #expect(try await redis.streams.cursorHint(host: lab.host)?.position == Position(epoch: 0, seq: 5_000))
        }
    }

    @Test("FLUSHALL in the middle of a session loses nothing") func flushed() async throws {
        let server = try await PrivateRedis.start()
        // Of its own: a rewind cancels what the ingester has under way, and with it everybody's batches on that connection.
        let own = RedisClient(try RedisConfiguration(url: server.url))
        try await RedisLab.run(url: server.url) {
            $0.start = .earliest
        } _: { redis in
            let lab = redis.lab
            lab.relay.publish(1...1_000)
            try await lab.withReplica {
                await lab.fleet.until { $0.seen(lab.host) > 300 }
                lab.relay.publish(1_001...3_000)
                for _ in 0..<3 { try await own.send(RedisCommand("FLUSHALL")) }
                await wait(for: 3_000, lab)
                try await own.send(RedisCommand("FLUSHALL"))
                lab.relay.publish(3_001...4_000)
                await wait(for: 4_000, lab)
            }
            expectAll(1...4_000, lab)
        }
        await own.shutDown()
        await server.stop()
    }

    @Test("a Redis at maxmemory refuses entries; with room again every shard is dense and whole") func outOfMemory() async throws {
        let server = try await PrivateRedis.start(arguments: ["--maxmemory", "3mb", "--maxmemory-policy", "noeviction"])
        try await RedisLab.run(url: server.url) {
            $0.start = .earliest
            // The guard would stop before Redis does: here Redis itself is to say no.
            $0.highWater = HighWaterGate.Limits(memoryFraction: 1_000)
            $0.unacknowledged = SessionWriter.Limits(entries: 3_000, bytes: 8 << 20)
        } _: { redis in
            let lab = redis.lab
            // Entries too large for 3 MB together, in frames that count as malformed.
            lab.relay.publish(1...100)
            let large = [UInt8](repeating: 0xFF, count: 20_000)
            lab.relay.publish(frames: (0..<200).map { _ in (100, large) })
            lab.relay.publish(101...500)
            try await lab.withReplica {
                await lab.fleet.until { $0.reports[lab.host]?.events == 700 }
                try await redis.redis.send(RedisCommand("CONFIG", ["SET", "maxmemory", "0"]))
                await wait(for: 500, lab)
            }
            expectAll(1...500, lab)
            // They carry the number of the commit before them, 100: only a session that began anew behind it need not bring all of them.
            let state = lab.fleet.state
            #expect(state.malformed >= 200 || state.sessions.dropFirst().contains { $0.from.seq >= 100 }, "\(state.sessions)")
        }
        await server.stop()
    }

    @Test("a Redis that is killed and comes back empty is filled again from the committed watermark") func killed() async throws {
        let server = try await PrivateRedis.start()
        try await RedisLab.run(url: server.url) {
            $0.start = .earliest
        } _: { redis in
            let lab = redis.lab
            lab.relay.publish(1...2_000)
            try await lab.withReplica {
                await lab.fleet.until { $0.seen(lab.host) > 500 }
                await server.kill()
                lab.relay.publish(2_001...3_000)
                try await server.start()
                await wait(for: 3_000, lab)
            }
            expectAll(1...3_000, lab)
        }
        await server.stop()
    }
}
