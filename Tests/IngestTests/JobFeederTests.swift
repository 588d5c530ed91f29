import Broker
import Events
import Foundation
import Ledger
import RedisClient
import TestSupport
import Testing

@testable import Ingest

/// The feeder on real servers: the stream is a hint, and whatever Redis or the feeder loses is put there again.
@Suite("The feeder of the job stream", .timeLimit(.minutes(5)))
struct JobFeederTests {
    private func add(_ count: Int, _ lab: BackfillLab) async throws {
        _ = try await lab.ledger.addRepositories((0..<count).map { "did:web:\($0)" }, shards: lab.shards, reason: "test")
    }

    private func all(_ count: Int) -> Set<String> { Set((0..<count).map { "did:web:\($0)" }) }

    @Test("the stream never passes the high-water mark, and every job comes through it once")
    func highWater() async throws {
        try await BackfillLab.run(.chosen) {
            $0.queueHighWater = 40
        } _: { lab in
            try await add(300, lab)
            try await lab.queue.prepare()
            var taken: [String] = []
            try await lab.withReplica(nil) {
                try await lab.until { try await lab.queue.length() == 40 }
                while taken.count < 300 {
                    #expect(try await lab.queue.length() <= 40)
                    let jobs = try await lab.queue.read(consumer: "test", count: 7)
                    for job in jobs { _ = try await lab.ledger.claimJob(job.did, deadline: .seconds(300)) }
                    try await lab.queue.acknowledge(jobs.map(\.id))
                    taken += jobs.map(\.did)
                }
                #expect(try await lab.queue.length() == 0)
            }
            #expect(Set(taken) == all(300) && taken.count == 300)
        }
    }

    @Test("a Redis that lost everything gets the queued jobs again, within seconds")
    func flushed() async throws {
        let server = try await PrivateRedis.start()
        try await BackfillLab.run(.chosen, redisURL: server.url) { lab in
            try await add(50, lab)
            try await lab.withReplica(nil) {
                try await lab.until { try await lab.queue.length() == 50 }
                let start = ProcessClock.now
                try await lab.redis.send(RedisCommand("FLUSHALL"))
                try await lab.until { try await lab.queue.length() == 50 }
                #expect(ProcessClock.now - start < .seconds(30), "not only behind the deadline")
            }
            #expect(Set(try await lab.queued()) == all(50))
        }
        await server.stop()
    }

    @Test("a feeder that dies between marking and appending leaves jobs that the next one feeds at once, since the stream is empty")
    func deathBeforeAppend() async throws {
        try await BackfillLab.run(.chosen) { lab in
            try await add(20, lab)
            #expect(try await lab.ledger.feedJobs(limit: 100, deadline: .seconds(3_600)).count == 20)
            try await lab.withReplica(nil) { try await lab.until { try await lab.queue.length() == 20 } }
            #expect(Set(try await lab.queued()) == all(20))
        }
    }

    @Test("jobs that are marked and stand in no stream wait again behind their deadline; those that stand there do not come twice")
    func lostBesideOthers() async throws {
        try await BackfillLab.run(.chosen) {
            $0.queuedDeadline = .seconds(2)
        } _: { lab in
            try await add(20, lab)
            let marked = try await lab.ledger.feedJobs(limit: 100, deadline: .seconds(2))
            let appended = Set(marked.prefix(8))
            try await lab.queue.append(Array(appended))
            try await lab.withReplica(nil) {
                try await lab.until { try await lab.queue.length() == 20 }
                // Two more deadlines pass over those that stand there.
                let sweeps = "SELECT extract(epoch FROM clock_timestamp())::bigint"
                let start = try await lab.number(sweeps)
                try await lab.until { try await lab.number(sweeps) > start + 5 }
            }
            let queued = try await lab.queued()
            #expect(Set(queued) == all(20) && queued.count == 20)
        }
    }

    @Test("a Redis that takes nothing keeps the jobs waiting for it, and gets each once when it takes them again")
    func fullRedis() async throws {
        let server = try await PrivateRedis.start(arguments: ["--maxmemory-policy", "noeviction"])
        try await BackfillLab.run(.chosen, redisURL: server.url) { lab in
            try await lab.redis.send(RedisCommand("CONFIG", "SET", "maxmemory", "1"))
            try await add(30, lab)
            try await lab.withReplica(nil) {
                try await lab.until { try await lab.upstream("feeder")?.report?.state == .backingOff }
                #expect(try await lab.dids("state = 'queued'").count == 30)
                try await lab.redis.send(RedisCommand("CONFIG", "SET", "maxmemory", "0"))
                try await lab.until { try await lab.queue.length() >= 30 }
            }
            let queued = try await lab.queued()
            #expect(Set(queued) == all(30) && queued.count == 30)
        }
        await server.stop()
    }

    @Test("the file's repositories are added, also those that come later, and wrong lines are named")
    func file() async throws {
        let path = try TestFolder.make("chosen") + "/repos"
        try "# ours\ndid:web:0\r\n\n  did:web:1 # a comment\nnonsense\ndid:web:2".write(toFile: path, atomically: true, encoding: .utf8)
        try await BackfillLab.run(.chosen) {
            $0.file = path
        } _: { lab in
            try await lab.withReplica(nil) {
                try await lab.until { try await lab.queue.length() == 3 }
                try await lab.until { try await lab.upstream("feeder")?.report?.reason == "repos.file has 1 lines that are no DIDs: 5" }
                try "did:web:3\n".write(toFile: path, atomically: true, encoding: .utf8)
                try await lab.until { try await lab.queue.length() == 4 }
                try await lab.until { try await lab.upstream("feeder")?.report?.reason == "" }
                try FileManager.default.removeItem(atPath: path)
                try await lab.until { try await lab.upstream("feeder")?.report?.reason.contains("No such file") == true }
                try "did:web:4\n".write(toFile: path, atomically: true, encoding: .utf8)
                try await lab.until { try await lab.queue.length() == 5 }
            }
            #expect(try await lab.dids() == all(5))
        }
    }
}
