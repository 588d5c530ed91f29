import Events
import Ledger
import RedisClient
import TestSupport
import Testing

@testable import Ingest

/// The ingester between a real Redis and a real Postgres: what the ledger commits is what a next owner goes on from.
@Suite(.timeLimit(.minutes(10))) struct LedgerIngestTests {
    private func expectAll(_ numbers: ClosedRange<Int64>, _ lab: LedgerLab) {
        let applied = lab.applied.all
        #expect(numbers.allSatisfy { applied[$0] != nil }, "missing: \(numbers.filter { applied[$0] == nil }.prefix(5))")
        #expect(applied.count == numbers.count)
    }

    @Test("two replicas: one reads, and when it is killed the other takes over and nothing is missing") func takeOver() async throws {
        try await LedgerLab.run(redisURL: try await SharedServers.redisURL()) {
            $0.start = .earliest
            $0.leaseTimeToLive = .seconds(3)
        } _: { lab in
            lab.lab.relay.publish(1...1_000)
            try await withThrowingTaskGroup(of: Void.self) { group in
                let second = Doorbell()
                group.addTask {
                    await second.wait()
                    try await lab.lab.withReplica("second") { try await lab.committed(2_000) }
                }
                try await lab.lab.withReplica("first") {
                    try await lab.committed(1_000)
                    second.ring()
                    lab.lab.relay.publish(1_001...1_500)
                    while lab.applied.all.count < 1_200 { _ = try await lab.ledger.resumePosition(lab.upstream) }
                }
                lab.lab.relay.publish(1_501...2_000)
                try await group.waitForAll()
            }
            expectAll(1...2_000, lab)
            let status = try await lab.ledger.acquireUpstream(lab.upstream, worker: WorkerID("third"), ttl: .seconds(1))
            #expect(status == nil || (status?.token.value ?? 0) >= 3)
        }
    }

    @Test("a graceful end gives the lease back at once, and the next start goes on without a repeat") func gracefulHandOver() async throws {
        try await LedgerLab.run(redisURL: try await SharedServers.redisURL()) {
            $0.start = .earliest
            $0.leaseRenewal = .milliseconds(100)
        } _: { lab in
            lab.lab.relay.publish(1...500)
            try await lab.lab.withGracefulReplica("first") { try await lab.committed(500) }
            lab.lab.relay.publish(501...1_000)
            try await lab.lab.withGracefulReplica("second") { try await lab.committed(1_000) }
            expectAll(1...1_000, lab)
            #expect(lab.applied.all.values.allSatisfy { $0 == 1 })
        }
    }

    @Test("a hole that a worker finds rewinds the session to the committed watermark") func rewind() async throws {
        let server = try await PrivateRedis.start()
        try await LedgerLab.run(redisURL: server.url) {
            $0.start = .earliest
        } _: { lab in
            lab.lab.relay.publish(1...1_000)
            try await lab.lab.withReplica {
                while lab.applied.all.count < 200 { _ = try await lab.ledger.resumePosition(lab.upstream) }
                try await lab.redis.send(RedisCommand("FLUSHALL"))
                lab.lab.relay.publish(1_001...2_000)
                try await lab.committed(2_000)
            }
            expectAll(1...2_000, lab)
        }
        await server.stop()
    }
}
