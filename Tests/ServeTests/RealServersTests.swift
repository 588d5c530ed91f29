import Broker
import Events
import Flow
import Ledger
import TestSupport
import Testing

@testable import Serve

@Suite(.timeLimit(.minutes(10))) struct RealServersTests {
    @Test("over real Redis and Postgres: clients resume anywhere, the outlet is trimmed and lost under them, none misses or repeats an event")
    func resumeAndLoss() async throws {
        try await RealStores.with { stores in
            let run: RunID = .firehose(2)
            _ = try await stores.ledger.append(testEvents(run, count: 200), run: run)
            try await stores.publishAll(keep: 50)
            try await stores.serving { port in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for index in 0..<10 {
                        let from = Int64(index * 20)
                        group.addTask { try await follow("http://127.0.0.1:\(port)/runs/\(run)/stream?fromSeq=\(from)", from: from, to: 1201) }
                    }
                    group.addTask {
                        for batch in 0..<50 {
                            _ = try await stores.ledger.append(testEvents(run, from: 201 + Int64(batch) * 20, count: 20), run: run)
                            try await stores.publishAll(keep: 50)
                            if batch % 17 == 16 { try await stores.outlet.delete(run: run) }
                        }
                        _ = try await stores.ledger.endRun(run, state: .finished)
                        try await stores.publishAll(keep: 50)
                        // Whoever waits for the last event now has only the comparison at the heartbeat.
                        try await stores.outlet.delete(run: run)
                    }
                    try await group.waitForAll()
                }
            }
        }
    }

    @Test("over real Redis and Postgres: the merged firehose goes on from its cursor")
    func merged() async throws {
        try await RealStores.with { stores in
            for shard in 0..<4 { _ = try await stores.ledger.append(testEvents(.firehose(shard), count: 30), run: .firehose(shard)) }
            try await stores.publishAll(keep: 10)
            try await stores.serving { port in
                let url = "http://127.0.0.1:\(port)/streams/firehose?cursor=earliest"
                var client = try await SSEClient(url)
                for _ in 0..<77 { _ = try await client.nextEvent() }
                let cursor = try #require(client.lastID)
                for shard in 0..<4 { _ = try await stores.ledger.append(testEvents(.firehose(shard), from: 31, count: 5), run: .firehose(shard)) }
                try await stores.publishAll(keep: 10)
                var again = try await SSEClient(url, lastEventID: cursor)
                var last: SSEMessage?
                for _ in 0..<(140 - 77) { last = try await again.nextEvent() }
                #expect(last?.id.flatMap(MergedCursor.init)?.seqs == [35, 35, 35, 35])
            }
        }
    }

    private func follow(_ url: String, from: Int64, to: Int64) async throws {
        var client = try await SSEClient(url)
        var last = from
        while let message = try await client.nextEvent() {
            let seq = try #require(message.id.flatMap { Int64($0) })
            #expect(seq == last + 1)
            last = seq
        }
        #expect(last == to)
    }
}
