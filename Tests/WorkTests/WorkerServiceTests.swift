import ATProto
import Broker
import Events
import Ledger
import Logging
import PostgresClient
import RedisClient
import ServiceLifecycle
import TestSupport
import Testing

@testable import Work

@Suite("A worker", .timeLimit(.minutes(10)))
struct WorkerServiceTests {
    private func configuration() -> WorkerConfiguration {
        var configuration = WorkerConfiguration()
        configuration.leaseTimeToLive = .seconds(20)
        configuration.leaseRenewal = .milliseconds(200)
        configuration.identities.plcURL = "http://127.0.0.1:1"
        configuration.identities.batchWait = .milliseconds(1)
        return configuration
    }

    /// Runs workers until `body` has returned, then shuts them down gracefully.
    private func running(_ workers: [WorkerService], _ body: () async throws -> Void) async throws {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let group = ServiceGroup(services: workers, logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            do { try await body() } catch {
                await group.triggerGracefulShutdown()
                throw error
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    @Test("takes every shard, logs what comes, and leaves neither lease nor heartbeat behind")
    func alone() async throws {
        try await WorkBench.with(shards: 4) { bench in
            var accounts = try (0..<6).map { try TestAccount($0, start: bench.clock.start) }
            for account in accounts { try await bench.know(account) }
            try await bench.open()
            var seq: Int64 = 0
            for round in 0..<3 {
                for index in accounts.indices {
                    seq += 1
                    bench.take(try accounts[index].commit("app.bsky.feed.post/r\(round)", "text").frame(), seq: seq)
                }
            }
            let service = WorkerService(
                configuration: configuration(), ledger: bench.ledger, streams: bench.streams, worker: bench.worker, logger: bench.context.logger)
            try await running([service]) {
                try await bench.append()
                try await bench.untilLogged(18)
            }
            var logged: [String: [String]] = [:]
            for shard in 0..<4 {
                let events = try await bench.events(shard)
                #expect(events.map(\.seq) == Array(1...Int64(max(events.count, 1))).prefix(events.count).map { $0 })
                for event in events { logged[event.did, default: []].append(event.rkey) }
            }
            #expect(logged.count == 6)
            #expect(logged.values.allSatisfy { $0 == ["r0", "r1", "r2"] })
            #expect(try await bench.number("SELECT count(*) FROM shards WHERE owner IS NOT NULL") == 0)
            #expect(try await bench.number("SELECT count(*) FROM workers") == 0)
        }
    }

    @Test("holds nothing open for labels until a labeler is read, and logs what that one says then")
    func firstLabeler() async throws {
        try await WorkBench.with { bench in
            var account = try TestAccount(0, start: bench.clock.start)
            try await bench.know(account)
            try await bench.open()
            let service = WorkerService(
                configuration: configuration(), ledger: bench.ledger, streams: bench.streams, worker: bench.worker, logger: bench.context.logger)
            try await running([service]) {
                bench.take(try account.commit("app.bsky.feed.post/a", "text").frame(), seq: 1)
                try await bench.append()
                try await bench.untilLogged(1)
                let exists = RedisCommand("EXISTS", .string(bench.keys.firehoseLive(0)), .string(bench.keys.labelLive(0)))
                #expect(try await bench.redis.send(exists).integer() == 1, "the pipeline of labels has prepared its stream")

                let labeler = try await TestLabeler(0, of: bench)
                try await bench.ledger.storeLabelKeys([
                    StoredLabelKey(did: labeler.did, key: labeler.key.verificationKey.didKey, fetchedAt: bench.clock.start)
                ])
                labeler.take([try labeler.label("spam", on: account.did)], seq: 1)
                try await labeler.append()
                try await bench.untilLogged(2)
                #expect(try await bench.labelEvents().map(\.did) == [account.did])
            }
        }
    }

    @Test("shares the shards with another worker, and one shard's failure stops neither the others nor the process")
    func shared() async throws {
        try await WorkBench.with(shards: 4) { bench in
            var account = try TestAccount(0, start: bench.clock.start)
            try await bench.know(account)
            try await bench.open()
            // A shard that is not the account's: its run is ended, so that every commit with events there is an impossible state.
            let good = bench.streams.shards.shard(of: account.did)
            var bad = try TestAccount(1, start: bench.clock.start)
            var number = 1
            while bench.streams.shards.shard(of: bad.did) == good {
                number += 1
                bad = try TestAccount(number, start: bench.clock.start)
            }
            try await bench.know(bad)
            let badShard = bench.streams.shards.shard(of: bad.did)
            try await bench.look.execute("UPDATE runs SET state = 'failed' WHERE id = 'firehose/\(badShard)'")
            bench.take(try bad.commit("app.bsky.feed.post/bad", "x").frame(), seq: 1)
            bench.take(try account.commit("app.bsky.feed.post/good", "y").frame(), seq: 2)

            let otherWorker = WorkerID("\(bench.schema)-b")
            let otherPool = try await SharedServers.pool(schema: bench.schema, name: otherWorker.description)
            let workers = [
                WorkerService(
                    configuration: configuration(), ledger: bench.ledger, streams: bench.streams, worker: bench.worker, logger: bench.context.logger),
                WorkerService(
                    configuration: configuration(), ledger: Ledger(pool: otherPool, schema: bench.schema), streams: bench.streams,
                    worker: otherWorker, logger: bench.context.logger),
            ]
            try await running(workers) {
                try await bench.append()
                try await bench.untilLogged(1)
                try await bench.until("SELECT count(*) FROM shards WHERE halted_reason IS NOT NULL", is: 1)
                try await bench.until("SELECT count(*) FROM (SELECT owner FROM shards GROUP BY owner HAVING count(*) = 2) x", is: 2)
            }
            #expect(try await bench.events(good).map(\.rkey) == ["good"])
            #expect(try await bench.events(badShard).isEmpty)
            #expect(try await bench.ledger.haltedShards().keys.sorted() == [badShard])
            await otherPool.close()
        }
    }
}
