import Events
import PostgresClient
import Testing

@testable import Ledger

@Suite(.timeLimit(.minutes(5))) struct SubscriptionLedgerTests {
    private func key(_ name: String, _ topic: SubscriptionTopic = .run(.firehose(0))) -> SubscriptionKey { SubscriptionKey(topic: topic, name: name) }

    @Test("a position is made at the start, never falls by whoever writes it, and is each topic's own")
    func positions() async throws {
        let test = try await TestLedger.make()
        let ledger = test.ledger
        let merged = key("a", .log(.firehose))
        #expect(try await ledger.openSubscription(key("a"), start: [7]) == SubscriptionOpening(positions: [7], connection: 1))
        #expect(try await ledger.openSubscription(key("a"), start: [3]) == SubscriptionOpening(positions: [7], connection: 2))
        #expect(try await ledger.openSubscription(merged, start: [1, 2, 3, 4])?.positions == [1, 2, 3, 4])
        let connections = try await ledger.keepSubscriptions(
            acked: [key("a"): [9], merged: [5, 1, 9, 4], key("gone"): [1]], open: [key("a"), merged, key("gone")])
        #expect(connections == [key("a"): 2, merged: 1])
        _ = try await ledger.keepSubscriptions(acked: [key("a"): [8], merged: [4, 9, 1, 1]], open: [])
        #expect(try await ledger.openSubscription(key("a"), start: [0])?.positions == [9])
        #expect(try await ledger.openSubscription(merged, start: [0, 0, 0, 0])?.positions == [5, 9, 9, 4])
        try await test.end()
    }

    @Test("writers of the same subscriptions in other orders neither block each other for ever nor lose the highest")
    func concurrent() async throws {
        let test = try await TestLedger.make()
        let other = try await test.other("b").ledger
        let keys = (0..<50).map { key("n\($0)") }
        for key in keys { _ = try await test.ledger.openSubscription(key, start: [0]) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for round in 1...40 {
                let ledger = round % 2 == 0 ? test.ledger : other
                group.addTask {
                    let acked = Dictionary(uniqueKeysWithValues: keys.shuffled().map { ($0, [Int64(round)]) })
                    _ = try await ledger.keepSubscriptions(acked: acked, open: [])
                }
            }
            try await group.waitForAll()
        }
        #expect(try await test.ledger.subscriptions(name: nil, after: nil, limit: 100).map(\.positions) == [[Int64]](repeating: [40], count: 50))
        await other.pool.close()
        try await test.end()
    }

    @Test("lists in pages with what is behind, deletes one or all of a name, and notes who flaps")
    func listed() async throws {
        let test = try await TestLedger.make()
        let ledger = test.ledger
        _ = try await ledger.append((0..<5).map { TestLedger.event($0) }, run: .firehose(0))
        _ = try await ledger.append((0..<2).map { TestLedger.event($0) }, run: .firehose(3))
        _ = try await ledger.openSubscription(key("b"), start: [2])
        _ = try await ledger.openSubscription(key("a", .log(.firehose)), start: [1, 0, 0, 0])
        _ = try await ledger.openSubscription(key("a"), start: [5])
        let first = try await ledger.subscriptions(name: nil, after: nil, limit: 2)
        #expect(first.map(\.key) == [key("a", .log(.firehose)), key("a")])
        #expect(first.map(\.behind) == [6, 0])
        let rest = try await ledger.subscriptions(name: nil, after: first.last?.key, limit: 2)
        #expect(rest.map(\.key) == [key("b")])
        #expect(rest.map(\.behind) == [3])
        #expect(try await ledger.subscriptions(name: "b", after: nil, limit: 10).count == 1)
        #expect(try await ledger.deleteSubscriptions(name: "a", topic: .run(.firehose(0))) == 1)
        #expect(try await ledger.deleteSubscriptions(name: "a", topic: nil) == 1)
        #expect(try await ledger.deleteSubscriptions(name: "a", topic: nil) == 0)
        for opens in [11, 12] { try await ledger.noteFlapping([FlappingClient(client: "10.0.0.1", topic: "firehose/0", opens: opens)]) }
        #expect(try await test.number("SELECT opens FROM flapping_clients") == 12)
        try await test.end()
    }

    @Test("there is a bound on how many there are; those that are there can still be opened")
    func bound() async throws {
        let test = try await TestLedger.make()
        try await test.pool.execute(
            "INSERT INTO subscriptions (topic, name, positions) SELECT 'run:x', 'n' || i, '{0}' FROM generate_series(1, \(Ledger.subscriptionsMax)) i"
        )
        #expect(try await test.ledger.openSubscription(key("one-more"), start: [0]) == nil)
        #expect(try await test.ledger.openSubscription(SubscriptionKey(topic: .run(#require(RunID("x"))), name: "n1"), start: [0])?.connection == 2)
        try await test.end()
    }
}
