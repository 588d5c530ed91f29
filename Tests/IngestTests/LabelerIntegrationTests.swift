import ATProto
import Events
import Ledger
import RedisClient
import Synchronization
import TestSupport
import Testing

@testable import Ingest

/// Several labelers through ingest, a real Redis and a worker into a real Postgres, while what is between them burns.
@Suite("Labelers from their sockets to the log", .timeLimit(.minutes(15)))
struct LabelerIntegrationTests {
    /// Every statement once, in its order, and what stands is what was said last.
    private func expectAll(_ lab: LabelerLab) async throws {
        let log = try await lab.log()
        for labeler in lab.labelers {
            let statements = labeler.statements
            #expect(log[labeler.did] == statements.mapValues { $0.map(\.cts) })
            #expect(try await lab.standing(labeler) == Set(statements.filter { $0.value.last?.neg == false }.keys))
        }
        let status = try await lab.ledger.status()
        #expect(status.refused.isEmpty)
        #expect(status.upstreams.map(\.name.kind) == [.labeler, .labeler])
    }

    @Test("every label is logged once and in order, though Redis is flushed and the reader is killed in the middle of its session")
    func lossAndKill() async throws {
        let server = try await PrivateRedis.start()
        try await LabelerLab.run(redisURL: server.url) { lab in
            try lab.labelers[0].publish(1...600)
            try lab.labelers[1].publish(1...400)
            try await lab.withReplica("first") { try await lab.logged(atLeast: 150) }
            try lab.labelers[0].publish(601...900)
            try await lab.withReplica("second") {
                try await lab.logged(atLeast: 400)
                try await lab.redis.send(RedisCommand("FLUSHALL"))
                try lab.labelers[1].publish(401...700)
                try await lab.committed(0, 900)
                try await lab.redis.send(RedisCommand("FLUSHALL"))
                try lab.labelers[0].publish(901...950)
                try await lab.committed(0, 950)
                try await lab.committed(1, 700)
            }
            try await expectAll(lab)
        }
        await server.stop()
    }

    @Test("a labeler that starts its numbers anew and repeats itself says nothing new, and what it says then is later; the other goes on")
    func restart() async throws {
        try await LabelerLab.run(redisURL: try await SharedServers.redisURL()) { lab in
            lab.labelers[1].relay.state.withLock { $0.cutAfter = 90 }
            try lab.labelers[0].publish(1...300)
            try lab.labelers[1].publish(1...250)
            try await lab.withReplica("first") {
                try await lab.committed(0, 300)
                let last = lab.labelers[0].restart()
                try lab.labelers[0].publish((last + 1)...(last + 40))
                try await lab.committed(0, last + 40, epoch: 1)
                try await lab.committed(1, 250)
            }
            try await expectAll(lab)
            let gaps = try await lab.ledger.status().upstreams.map(\.declaredGaps)
            #expect(gaps.sorted() == [0, 1])
        }
    }
}
