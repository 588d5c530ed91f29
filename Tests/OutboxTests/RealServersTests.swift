import Broker
import Events
import Flow
import Ledger
import Logging
import RedisClient
import ServiceLifecycle
import TestSupport
import Testing

@testable import Outbox

@Suite(.timeLimit(.minutes(10))) struct RealServersTests {
    @Test("over real Redis and Postgres: two publishers, appends beside them, foreign entries in one outlet; each event is in its outlet once")
    func publish() async throws {
        try await RealStores.with { stores in try await publish(stores) }
    }

    private func publish(_ stores: RealStores) async throws {
        let (ledger, outlet, logger) = (stores.ledger, stores.outlet, SharedServers.quietLogger)
        _ = try await stores.redis.send(RedisCommand("XADD", .string(stores.keys.outlet(run: .firehose(0))), "1700000000000-0", "a", "b"))
        let services = ["a", "b"].map { name in
            PublisherService(
                configuration: PublisherConfiguration(), ledger: ledger, outlet: outlet, worker: WorkerID("test-\(name)"), logger: logger)
        }
        let group = ServiceGroup(services: services, logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            for batch in 0..<10 {
                for shard in 0..<4 {
                    let events = (0..<30).map { LogEvent(run: .firehose(shard), seq: 0, kind: .record, did: "did:plc:\(batch)-\($0)", body: [0x31]) }
                    _ = try await ledger.append(events, run: .firehose(shard))
                }
            }
            // As a client would: each follower's read ends when its run has the last event.
            try await outlet.withFollower { follower in
                for shard in 0..<4 {
                    var isThere = false
                    while !isThere {
                        do {
                            isThere = try await !follower.read(after: [.firehose(shard): 299], countPerRun: 1, block: .seconds(1)).isEmpty
                        } catch let error as BrokerError where error.code == .corrupt {
                            // The foreign entry, until the publisher has rebuilt the outlet.
                        }
                    }
                }
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
        for shard in 0..<4 {
            #expect(try await outlet.read(run: .firehose(shard), after: 0, count: 1000).map(\.seq) == Array(1...300))
            #expect(try await ledger.run(.firehose(shard))?.nextSeq["outlet"] == 301)
        }
    }
}
