import Events
import Ledger
import TestSupport
import Testing

@testable import Serve

/// Clients that come and go without pause, over both wires.
@Suite(.timeLimit(.minutes(10))) struct ReconnectTests {
    private let run: RunID = .firehose(1)

    /// Reads up to `limit` events behind `from`, each following the one before; returns the last seq, and whether the terminal event was there.
    private func read(_ api: TestAPI, _ run: RunID, from: Int64, limit: Int, overWebSocket: Bool) async throws -> (last: Int64, isEnded: Bool) {
        if overWebSocket {
            let (results, result) = AsyncStream<(Int64, Bool)>.makeStream()
            try await WebSocketClient.connected(api.port, "/runs/\(run)/stream", headers: ["Last-Event-ID: \(from)"]) { (client) async throws in
                var (last, isEnded) = (from, false)
                for _ in 0..<limit {
                    guard let message = try await client.nextEvent() else { break }
                    if message.code != nil {
                        isEnded = message.code == 1000
                        break
                    }
                    #expect(Int64(message.id) == last + 1)
                    last += 1
                }
                result.yield((last, isEnded))
            }
            var iterator = results.makeAsyncIterator()
            return try #require(await iterator.next())
        }
        var client = try await SSEClient(api.url("/runs/\(run)/stream"), lastEventID: "\(from)")
        if client.status == 204 { return (from, true) }
        var (last, isEnded) = (from, false)
        for _ in 0..<limit {
            guard let message = try await client.nextEvent() else { break }
            #expect(message.id.flatMap { Int64($0) } == last + 1)
            last += 1
            if message.event == "terminal" { isEnded = true }
        }
        return (last, isEnded)
    }

    @Test("a client that reconnects a thousand times at random seqs while events arrive gets from each exactly what follows")
    func thousandTimes() async throws {
        let seed = TestSeed("reconnects")
        try await TestAPI.run { api in
            await api.append(testEvents(run, count: 400), keep: 60)
            let (stops, stop) = AsyncStream<Void>.makeStream()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    var (next, isOver) = (401 as Int64, false)
                    while !isOver {
                        let count = Int(next % 7) + 1
                        await api.append(testEvents(run, from: next, count: count), keep: 60)
                        next += Int64(count)
                        // At the pace of the clients: one turn of theirs, one batch.
                        var iterator = stops.makeAsyncIterator()
                        isOver = await iterator.next() == nil
                    }
                    await api.append(testEvents(run, from: next, count: 1, terminal: true), keep: 60)
                }
                group.addTask {
                    try await withThrowingTaskGroup(of: Void.self) { clients in
                        for client in 0..<4 {
                            clients.addTask {
                                var generator = SeededGenerator(seed: seed.value &+ UInt64(client))
                                for turn in 0..<250 {
                                    let last = await api.log.summaries[run]?.lastSeq ?? 0
                                    let from = Int64.random(in: 0...last, using: &generator)
                                    let limit = min(Int.random(in: 0...30, using: &generator), Int(last - from))
                                    let (end, _) = try await read(api, run, from: from, limit: limit, overWebSocket: turn % 2 == 0)
                                    #expect(end == from + Int64(limit), "\(seed), client \(client), turn \(turn)")
                                    stop.yield()
                                }
                            }
                        }
                        try await clients.waitForAll()
                    }
                    stop.finish()
                }
                try await group.waitForAll()
            }
            let last = try #require(await api.log.summaries[run]?.lastSeq)
            let (end, isEnded) = try await read(api, run, from: last - 50, limit: 100, overWebSocket: false)
            #expect(end == last)
            #expect(isEnded)
        }
    }

    @Test("in the instant of the terminal event a client gets it once, or is told that nothing follows; none waits")
    func terminalInstant() async throws {
        try await TestAPI.run { api in
            for shard in 0..<30 {
                let run: RunID = .firehose(shard)
                await api.append(testEvents(run, count: 20), keep: 5)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for index in 0..<12 {
                        group.addTask {
                            let from = Int64(index < 8 ? 20 : 15)
                            let (last, isEnded) = try await read(api, run, from: from, limit: 100, overWebSocket: index % 2 == 0)
                            #expect(last == 21)
                            #expect(isEnded)
                        }
                    }
                    group.addTask { await api.append(testEvents(run, from: 21, count: 1, terminal: true), keep: 5) }
                    try await group.waitForAll()
                }
                for overWebSocket in [true, false] {
                    let (last, isEnded) = try await read(api, run, from: 21, limit: 1, overWebSocket: overWebSocket)
                    #expect(last == 21)
                    #expect(isEnded)
                }
            }
        }
    }
}
