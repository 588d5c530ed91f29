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

    @Test("over real Redis and Postgres: a day that is dropped while clients read it is told as a gap, or was read; nothing is passed over")
    func dayDropped() async throws {
        try await RealStores.with { stores in
            let run = try #require(RunID("live/1"))
            let ledger = stores.ledger
            _ = try await ledger.createRun(run, kind: "application", sinks: ["outlet"])
            // More than all buffers between the log and a client that does not read.
            for batch in 0..<8 { _ = try await ledger.append(testEvents(run, from: 1 + Int64(batch) * 100, count: 100, bytes: 40_000), run: run) }
            try await stores.moveToYesterday()
            _ = try await ledger.append(testEvents(run, from: 801, count: 100), run: run)
            _ = try await ledger.endRun(run, state: .finished)
            try await stores.publishAll(keep: 50)
            try await stores.serving { port in
                let (arrivals, arrived) = AsyncStream<Void>.makeStream()
                let (drops, dropped) = AsyncStream<Void>.makeStream()
                try await withThrowingTaskGroup(of: Int.self) { group in
                    for from in [0, 0, 100, 400, 790] as [Int64] {
                        group.addTask {
                            var client = try await SSEClient("http://127.0.0.1:\(port)/runs/\(run)/stream?fromSeq=\(from)")
                            #expect(try await client.nextEvent()?.id == "\(from + 1)")
                            arrived.yield()
                            for await _ in drops {}
                            return try await gaps(&client, from: from + 1, to: 901)
                        }
                    }
                    var waiting = arrivals.makeAsyncIterator()
                    for _ in 0..<5 { _ = await waiting.next() }
                    let lease = try #require(try await ledger.takeDuty("retention", owner: WorkerID("test"), ttl: .seconds(600)))
                    let day = try #require(try await ledger.logDays(before: Int(WallTime.current.microseconds / 86_400_000_000)).last)
                    try await ledger.dropDay(day, under: lease, lockTimeout: .seconds(60), why: "test")
                    dropped.finish()
                    var told = 0
                    for try await count in group { told += count }
                    #expect(told > 0, "no client was in the middle of the day when it was dropped")
                    // Who comes later has the gap first.
                    var late = try await SSEClient("http://127.0.0.1:\(port)/runs/\(run)/stream?fromSeq=0")
                    let gap = try await late.nextEvent()
                    #expect(
                        gap?.event == "gap" && gap?.id == "800" && gap?.data?.contains(#""from":1,"to":800"#) == true, "\(String(describing: gap))")
                }
            }
        }
    }

    /// Reads to the end: each event follows the one before, or a gap that begins there; returns how many gaps there were.
    private func gaps(_ client: inout SSEClient, from: Int64, to: Int64) async throws -> Int {
        var (last, gaps) = (from, 0)
        while let message = try await client.nextEvent() {
            let seq = try #require(message.id.flatMap { Int64($0) })
            if message.event == "gap" {
                #expect(message.data?.contains("\"from\":\(last + 1),\"to\":800") == true, "\(message)")
                gaps += 1
            } else {
                #expect(seq == last + 1)
            }
            last = seq
        }
        #expect(last == to)
        return gaps
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
