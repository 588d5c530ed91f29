import Events
import NIOHTTP1
import Testing

@testable import Serve

@Suite(.timeLimit(.minutes(10))) struct EventStreamTests {
    private let run: RunID = .firehose(1)

    /// Reads to the end and says which seqs came, checking that each follows the one before.
    private func seqs(_ client: inout SSEClient, after: Int64) async throws -> Int64 {
        var last = after
        while let message = try await client.nextEvent() {
            let seq = try #require(message.id.flatMap { Int64($0) })
            #expect(seq == last + 1)
            last = seq
        }
        return last
    }

    private func heartbeat(_ client: inout SSEClient) async throws {
        while try #require(try await client.next()).comment != "heartbeat" {}
    }

    @Test("clients that resume anywhere while events are appended and trimmed get each later event once, to the terminal one")
    func resumeAnywhere() async throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("seed \(seed)")
        try await TestAPI.run { api in
            await api.append(testEvents(run, count: 600), keep: 100)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<24 {
                    let from = Int64((seed &+ UInt64(index) &* 0x9E37_79B9_7F4A_7C15) % 601)
                    group.addTask {
                        var client = try await SSEClient(api.url("/runs/firehose/1/stream?fromSeq=\(from)"))
                        #expect(client.status == 200)
                        #expect(try await seqs(&client, after: from) == 2001)
                    }
                }
                group.addTask {
                    for batch in 0..<28 {
                        await api.append(testEvents(run, from: 601 + Int64(batch) * 50, count: 50), keep: 100)
                        await Task.yield()
                    }
                    await api.append(testEvents(run, from: 2001, count: 1, terminal: true), keep: 100)
                }
                try await group.waitForAll()
            }
        }
    }

    @Test("a reconnect after the terminal event gets 204; Last-Event-ID wins over fromSeq; the other path serves the same")
    func afterTerminal() async throws {
        try await TestAPI.run { api in
            await api.append(testEvents(run, count: 5, terminal: true))
            var client = try await SSEClient(api.url("/api/agents/runs/firehose/1/stream?fromSeq=0"), lastEventID: "2")
            #expect(client.headers.first(name: "Cache-Control") == "no-store")
            #expect(client.headers.first(name: "X-Accel-Buffering") == "no")
            #expect(client.headers.first(name: "Content-Type") == "text/event-stream; charset=utf-8")
            let first = try await client.next()
            #expect(first?.retry.map { (1000...2000).contains($0) } == true)
            #expect(try await seqs(&client, after: 2) == 5)
            #expect(try await api.get("/runs/firehose/1/stream?fromSeq=5").status == 204)
        }
    }

    @Test("an outlet that is deleted under a client costs it nothing: the heartbeat's comparison reads Postgres")
    func outletDeleted() async throws {
        try await TestAPI.run { api in
            await api.append(testEvents(run, count: 10))
            var client = try await SSEClient(api.url("/runs/firehose/1/stream?fromSeq=8"))
            #expect(try await client.nextEvent()?.id == "9")
            #expect(try await client.nextEvent()?.id == "10")
            try await heartbeat(&client)
            await api.outlet.delete(run)
            await api.log.append(testEvents(run, from: 11, count: 3))
            for id in ["11", "12", "13"] { #expect(try await client.nextEvent()?.id == id) }
            await api.append(testEvents(run, from: 14, count: 2, terminal: true))
            #expect(try await client.nextEvent()?.id == "14")
            #expect(try await client.nextEvent()?.event == "terminal")
            #expect(try await client.nextEvent() == nil)
        }
    }

    @Test("a client that comes after its outlet was lost is compared with what is published, though others of its run wait for the heartbeat")
    func lostBeforeConnect() async throws {
        var configuration = TestAPI.configuration
        configuration.heartbeatEvery = .seconds(300)
        try await TestAPI.run(configuration) { api in
            await api.append(testEvents(run, count: 10))
            var waiting = try await SSEClient(api.url("/runs/firehose/1/stream?fromSeq=9"))
            #expect(try await waiting.nextEvent()?.id == "10")
            // It is followed: the next event comes from the outlet.
            await api.append(testEvents(run, from: 11, count: 1))
            #expect(try await waiting.nextEvent()?.id == "11")
            await api.outlet.delete(run)
            await api.log.append(testEvents(run, from: 12, count: 600))
            for from in [0, 11, 500] as [Int64] {
                var client = try await SSEClient(api.url("/runs/firehose/1/stream?fromSeq=\(from)"))
                for seq in from + 1...611 { #expect(try await client.nextEvent()?.id == "\(seq)") }
            }
        }
    }

    @Test("what an outlet lost is read from Postgres at once, however much it is, not a step a heartbeat")
    func muchLost() async throws {
        var configuration = TestAPI.configuration
        configuration.heartbeatEvery = .seconds(1)
        try await TestAPI.run(configuration) { api in
            await api.append(testEvents(run, count: 10))
            var client = try await SSEClient(api.url("/runs/firehose/1/stream?fromSeq=9"))
            #expect(try await client.nextEvent()?.id == "10")
            try await heartbeat(&client)
            await api.outlet.delete(run)
            let start = ContinuousClock.now
            await api.log.append(testEvents(run, from: 11, count: 20_000))
            #expect(try await client.nextEvent()?.id == "11")
            var messages = 0
            while let message = try await client.next(), message.id != "20010" { messages += message.comment == nil ? 1 : 0 }
            #expect(messages == 19_998)
            // Of the 79 steps that it takes each would be a second.
            #expect(ContinuousClock.now - start < .seconds(40))
        }
    }

    @Test("a terminal event that comes while a client catches up ends its stream, once, whatever the outlet still has", arguments: [1, 40, 1000])
    func terminalDuringCatchUp(keep: Int) async throws {
        try await TestAPI.run { api in
            await api.append(testEvents(run, count: 3000, bytes: 2000), keep: keep)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<4 {
                    group.addTask {
                        var client = try await SSEClient(api.url("/runs/firehose/1/stream"))
                        #expect(try await client.nextEvent()?.id == "1")
                        if index == 0 { await api.append(testEvents(run, from: 3001, count: 1, terminal: true), keep: keep) }
                        var (last, terminals) = (1 as Int64, 0)
                        while let message = try await client.nextEvent() {
                            let seq = try #require(message.id.flatMap { Int64($0) })
                            #expect(seq == last + 1)
                            last = seq
                            if message.event == "terminal" { terminals += 1 }
                        }
                        #expect(last == 3001)
                        #expect(terminals == 1)
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test("what neither source has is told as a gap, with its id")
    func gap() async throws {
        try await TestAPI.run { api in
            await api.log.append(testEvents(run, count: 8, terminal: true))
            await api.log.remove(run, 3...5)
            var client = try await SSEClient(api.url("/runs/firehose/1/stream"))
            var seen: [String] = []
            while let message = try await client.nextEvent() {
                seen.append("\(message.event ?? "") \(message.id ?? "")")
                if message.event == "gap" {
                    #expect(message.data == #"{"run":"firehose/1","from":3,"to":5,"why":"the log no longer has them"}"#)
                }
            }
            #expect(seen == ["record 1", "record 2", "gap 5", "record 6", "record 7", "terminal 8"])
        }
    }

    @Test("clients of several runs that stand at the same seq get their own run's events, also where these come in one read")
    func sameSeqs() async throws {
        try await TestAPI.run { api in
            let runs: [RunID] = [.firehose(1), .firehose(2)]
            for run in runs { await api.append(testEvents(run, count: 1)) }
            let (arrivals, arrived) = AsyncStream<Void>.makeStream()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<32 {
                    let run = runs[index % 2]
                    group.addTask {
                        var client = try await SSEClient(api.url("/runs/\(run)/stream"))
                        _ = try await client.nextEvent()
                        arrived.yield()
                        while let message = try await client.nextEvent() { #expect(message.data?.hasPrefix(#"{"run":"\#(run)","#) == true) }
                    }
                }
                var waiting = arrivals.makeAsyncIterator()
                for _ in 0..<32 { _ = await waiting.next() }
                for seq in 2...100 as ClosedRange<Int64> { await api.append(runs.flatMap { testEvents($0, from: seq, count: 1) }) }
                await api.append(runs.flatMap { testEvents($0, from: 101, count: 1, terminal: true) })
                try await group.waitForAll()
            }
        }
    }

    @Test("a filtered client gets what it asked for, and heartbeats move its id past the rest")
    func filters() async throws {
        try await TestAPI.run { api in
            await api.append(testEvents(run, count: 7))
            var client = try await SSEClient(api.url("/runs/firehose/1/stream?collections=a.b.even&dids=did:plc:1,did:plc:2&format=tap"))
            let first = try await client.nextEvent()
            #expect(first?.id == "2")
            #expect(first?.data?.hasPrefix(#"{"id":2,"type":"record","record":{"live":true,"did":"did:plc:2""#) == true)
            #expect(try await client.nextEvent()?.id == "4")
            var heartbeat = try #require(try await client.next())
            while heartbeat.id != "7" { heartbeat = try #require(try await client.next()) }
            #expect(heartbeat.comment == "heartbeat")
            #expect(heartbeat.data == nil)
        }
    }

    @Test("a client that takes nothing is closed with word of it; others go on")
    func slowClient() async throws {
        var configuration = TestAPI.configuration
        configuration.slowClientTimeout = .milliseconds(50)
        configuration.streamBufferBytes = 4096
        let (logger, texts) = SignalLogHandler.logger()
        try await TestAPI.run(configuration, logger: logger) { api in
            await api.append(testEvents(run, count: 300, bytes: 100_000))
            let slow = try await SSEClient(api.url("/runs/firehose/1/stream"))
            #expect(slow.status == 200)
            for await text in texts where text == "slow client closed" { break }
            // Little enough for the kernel's buffers: this client cannot be too slow, however late its turn comes.
            var quick = try await SSEClient(api.url("/runs/firehose/1/stream?fromSeq=300"))
            await api.append(testEvents(run, from: 301, count: 1))
            #expect(try await quick.nextEvent()?.id == "301")
            #expect(String(decoding: api.metrics.text(), as: UTF8.self).contains("weir_stream_slow_closed_total 1"))
        }
    }

    @Test("at shutdown clients are told when to come back, and the stream ends")
    func drain() async throws {
        try await TestAPI.run { api in
            await api.append(testEvents(run, count: 1))
            var client = try await SSEClient(api.url("/runs/firehose/1/stream"))
            #expect(try await client.nextEvent()?.id == "1")
            await api.shutDown()
            var last: SSEMessage?
            while let message = try await client.next() { last = message }
            #expect(last?.comment == "shutting down")
            #expect(last?.retry != nil)
        }
    }

    @Test("while Redis is down a client reads on from Postgres, and live events come when it is back")
    func redisDown() async throws {
        try await TestAPI.run { api in
            await api.log.append(testEvents(run, count: 4))
            await api.outlet.setDown(true)
            var client = try await SSEClient(api.url("/runs/firehose/1/stream?fromSeq=1"))
            for id in ["2", "3", "4"] { #expect(try await client.nextEvent()?.id == id) }
            await api.outlet.setDown(false)
            await api.append(testEvents(run, from: 5, count: 1))
            #expect(try await client.nextEvent()?.id == "5")
        }
    }

    @Test("a foreign entry in one run's outlet stops no other run, and that run is read from Postgres")
    func corruptOutlet() async throws {
        try await TestAPI.run { api in
            for shard in 0..<2 { await api.append(testEvents(.firehose(shard), count: 1)) }
            var clients = [SSEClient]()
            for shard in 0..<2 { clients.append(try await SSEClient(api.url("/runs/firehose/\(shard)/stream"))) }
            for shard in 0..<2 {
                #expect(try await clients[shard].nextEvent()?.id == "1")
                try await heartbeat(&clients[shard])
            }
            await api.outlet.setCorrupt(.firehose(0))
            for shard in 0..<2 { await api.append(testEvents(.firehose(shard), from: 2, count: 2)) }
            for shard in 0..<2 { for id in ["2", "3"] { #expect(try await clients[shard].nextEvent()?.id == id) } }
        }
    }

    @Test("the merged firehose delivers each shard in order, once, across reconnects at any event")
    func merged() async throws {
        try await TestAPI.run { api in
            for shard in 0..<4 { await api.append(testEvents(.firehose(shard), count: 40), keep: 10) }
            var lasts: [String: Int64] = [:]
            var total = 0
            var cursor: String?
            for connection in 0..<5 {
                var client = try await SSEClient(api.url("/streams/firehose?cursor=earliest"), lastEventID: cursor)
                for _ in 0..<(connection == 4 ? 200 - total : 37) {
                    let message = try #require(try await client.nextEvent())
                    let data = try #require(message.data)
                    let run = try #require(data.split(separator: "\"").dropFirst(3).first.map(String.init))
                    let seq = try #require(data.split(separator: "\"seq\":").last?.split(separator: ",").first.flatMap { Int64($0) })
                    #expect(seq == (lasts[run] ?? 0) + 1)
                    lasts[run] = seq
                    total += 1
                    cursor = message.id
                }
                if connection == 2 { for shard in 0..<4 { await api.append(testEvents(.firehose(shard), from: 41, count: 10), keep: 10) } }
            }
            #expect(lasts.count == 4)
            #expect(lasts.values.allSatisfy { $0 == 50 })
        }
    }

    @Test("labels of all shards are one stream, filtered by kind and account as others are, and the firehose has none of them")
    func mergedLabels() async throws {
        @Sendable func label(_ shard: Int, _ seq: Int64, _ did: String) -> LogEvent {
            LogEvent(run: .labels(shard), seq: seq, kind: .label, did: did, mark: "unsigned", body: Array(#"{"val":"spam"}"#.utf8))
        }
        try await TestAPI.run { api in
            for shard in 0..<4 { await api.append(testEvents(.firehose(shard), count: 3)) }
            await api.append([label(0, 1, "did:plc:a"), label(0, 2, "did:plc:b")])
            await api.append([label(3, 1, "did:plc:a")])
            var client = try await SSEClient(api.url("/streams/labels?cursor=earliest&kinds=label&dids=did:plc:a"))
            var runs: [String] = []
            var cursor: String?
            for _ in 0..<2 {
                let message = try #require(try await client.nextEvent())
                #expect(message.data?.contains(#""kind":"label","did":"did:plc:a","live":true,"label":{"val":"spam"}"#) == true)
                runs.append(message.data?.contains("labels/0") == true ? "labels/0" : "labels/3")
                cursor = message.id
            }
            #expect(runs.sorted() == ["labels/0", "labels/3"])
            await api.append([label(1, 1, "did:plc:c")])
            var again = try await SSEClient(api.url("/streams/labels?dids=did:plc:c"), lastEventID: cursor)
            #expect(try await again.nextEvent()?.id.flatMap(MergedCursor.init)?.seqs[1] == 1)
            // Other shapes have no word for a label.
            #expect(try await api.get("/runs/labels/0/events?format=jetstream").body.contains(#""events":[]"#))
        }
    }

    @Test("without a cursor the merged firehose begins now")
    func mergedNow() async throws {
        try await TestAPI.run { api in
            for shard in 0..<4 { await api.append(testEvents(.firehose(shard), count: 3)) }
            var client = try await SSEClient(api.url("/streams/firehose?kinds=record"))
            try await heartbeat(&client)
            await api.append(testEvents(.firehose(2), from: 4, count: 1))
            let message = try #require(try await client.nextEvent())
            #expect(message.data?.contains(#""run":"firehose/2","seq":4,"#) == true)
            #expect(message.id.flatMap(MergedCursor.init)?.seqs == [3, 3, 4, 3])
        }
    }
}
