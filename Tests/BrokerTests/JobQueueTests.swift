import Broker
import Events
import Testing

@Suite("The queue of jobs")
struct JobQueueTests {
    @Test("a job goes to one consumer, and is gone once it is acknowledged")
    func once() async throws {
        let test = try await BrokerFixture()
        let queue = JobQueue(redis: test.redis, keys: test.keys)
        try await queue.prepare()
        try await queue.append(["did:a:1", "did:a:2"])
        let first = try await queue.read(consumer: "a", count: 1)
        let second = try await queue.read(consumer: "b", count: 5)
        #expect(first.map(\.did) == ["did:a:1"])
        #expect(second.map(\.did) == ["did:a:2"])
        #expect(try await queue.length() == 2)
        try await queue.acknowledge(first.map(\.id) + second.map(\.id))
        #expect(try await queue.length() == 0)
        try await test.end()
    }

    @Test("a silent consumer's jobs are taken over with a count of their deliveries; one that says something keeps its own")
    func takenOver() async throws {
        let test = try await BrokerFixture()
        let queue = JobQueue(redis: test.redis, keys: test.keys)
        try await queue.prepare()
        try await queue.append(["did:a:1"])
        let job = try #require(try await queue.read(consumer: "a", count: 1).first)
        try await queue.touch([job.id], consumer: "a")
        #expect(try await queue.takeOver(consumer: "b", idle: .seconds(3_600), from: .zero, count: 10).jobs.isEmpty)
        var taken: [QueuedJob] = []
        while taken.isEmpty { taken = try await queue.takeOver(consumer: "b", idle: .milliseconds(1), from: .zero, count: 10).jobs }
        #expect(taken == [QueuedJob(id: job.id, did: "did:a:1", deliveries: 2)])
        try await test.end()
    }

    @Test("a lost stream is made again by the next read")
    func lost() async throws {
        let test = try await BrokerFixture()
        let queue = JobQueue(redis: test.redis, keys: test.keys)
        #expect(try await queue.read(consumer: "a", count: 1).isEmpty)
        try await queue.append(["did:a:1"])
        #expect(try await queue.read(consumer: "a", count: 1).map(\.did) == ["did:a:1"])
        try await test.end()
    }
}
