import Events
import Ledger
import TestSupport
import Testing

@testable import Serve

@Suite(.timeLimit(.minutes(10))) struct WebSocketStreamTests {
    private let run: RunID = .firehose(1)

    /// Reads to the close frame and says which seqs came, checking that each follows the one before.
    private func seqs(_ client: inout WebSocketClient, after: Int64) async throws -> (last: Int64, end: WebSocketClient.Message?) {
        var last = after
        while let message = try await client.nextEvent() {
            if message.code != nil { return (last, message) }
            let seq = try #require(Int64(message.id))
            #expect(seq == last + 1)
            last = seq
        }
        return (last, nil)
    }

    @Test("the same events with the same ids as over SSE, to the terminal one and a close of 1000")
    func sameAsSSE() async throws {
        try await TestAPI.run { api in
            await api.append(testEvents(run, count: 300, terminal: true, bytes: 40_000), keep: 20)
            await api.log.remove(run, 7...9)
            for query in ["fromSeq=3", "fromSeq=3&format=jetstream&collections=a.b.odd", "fromSeq=250&kinds=record"] {
                var expected: [WebSocketClient.Message] = []
                var sse = try await SSEClient(api.url("/runs/firehose/1/stream?\(query)"))
                while let message = try await sse.nextEvent() {
                    expected.append(.init(id: message.id ?? "", event: message.event ?? "", data: message.data ?? ""))
                }
                let wanted = expected
                try await WebSocketClient.connected(api.port, "/api/agents/runs/firehose/1/stream?\(query)") { (client) async throws in
                    #expect(client.status == 101)
                    #expect(client.head.contains("Sec-WebSocket-Accept: \(WebSocketClient.accept)"))
                    let opening = try #require(try await client.next())
                    #expect(opening.event == "open")
                    #expect(opening.id == query.dropFirst("fromSeq=".count).prefix { $0.isNumber })
                    var seen: [WebSocketClient.Message] = []
                    while let message = try await client.nextEvent(), message.code == nil { seen.append(message) }
                    #expect(seen == wanted)
                    #expect(wanted.contains { $0.event == "gap" } == query.hasPrefix("fromSeq=3"))
                }
            }
        }
    }

    @Test("clients that resume anywhere while events are appended and trimmed get each later event once, then the end")
    func resumeAnywhere() async throws {
        try await TestAPI.run { api in
            await api.append(testEvents(run, count: 600), keep: 100)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<12 {
                    let from = Int64(index * 50)
                    // The header wins over the query, as with SSE.
                    group.addTask {
                        try await WebSocketClient.connected(
                            api.port, "/runs/firehose/1/stream?fromSeq=1", headers: ["Last-Event-ID: \(from)"]
                        ) { (client) async throws in
                            let (last, end) = try await seqs(&client, after: from)
                            #expect(last == 1201)
                            #expect(end?.code == 1000)
                            #expect(end?.reason == "terminal")
                        }
                    }
                }
                group.addTask {
                    for batch in 0..<12 { await api.append(testEvents(run, from: 601 + Int64(batch) * 50, count: 50), keep: 100) }
                    await api.append(testEvents(run, from: 1201, count: 1, terminal: true), keep: 100)
                }
                try await group.waitForAll()
            }
        }
    }

    @Test("whoever has all of an ended run is closed at once: a browser's WebSocket could not see a status of 204")
    func afterTerminal() async throws {
        try await TestAPI.run { api in
            await api.append(testEvents(run, count: 5, terminal: true))
            try await WebSocketClient.connected(api.port, "/runs/firehose/1/stream?fromSeq=5") { (client) async throws in
                #expect(client.status == 101)
                #expect(try await client.nextEvent()?.code == 1000)
            }
        }
    }

    @Test("heartbeats are a ping and a position, which moves past what a filter leaves out")
    func heartbeat() async throws {
        try await TestAPI.run { api in
            await api.append(testEvents(run, count: 7))
            try await WebSocketClient.connected(api.port, "/runs/firehose/1/stream?kinds=identity") { (client) async throws in
                var message = try await client.next()
                while let now = message, now.id != "7" { message = try await client.next() }
                #expect(message?.event == "heartbeat")
                #expect(message?.data == "")
                #expect(client.pings > 0)
                try await client.send(9, Array("are you there".utf8))
                while client.pongs.isEmpty { _ = try #require(try await client.next()) }
                #expect(client.pongs == [Array("are you there".utf8)])
                try await client.send(8, [0x03, 0xE8])
                var end = try await client.nextEvent()
                #expect(end?.code == 1005)
                end = try await client.nextEvent()
                #expect(end == nil)
            }
        }
    }

    @Test("the merged firehose goes on from a cursor over both wires, each shard in order and once")
    func merged() async throws {
        try await TestAPI.run { api in
            for shard in 0..<4 { await api.append(testEvents(.firehose(shard), count: 40), keep: 10) }
            let (cursors, cursor) = AsyncStream<String>.makeStream()
            try await WebSocketClient.connected(api.port, "/streams/firehose?cursor=earliest") { (client) async throws in
                for _ in 0..<76 { _ = try #require(try await client.nextEvent()) }
                cursor.yield(try #require(try await client.nextEvent()).id)
            }
            var iterator = cursors.makeAsyncIterator()
            let at = try #require(await iterator.next())
            let start = try #require(MergedCursor(at)).seqs
            #expect(start.reduce(0, +) == 77)
            try await WebSocketClient.connected(api.port, "/streams/firehose?cursor=\(at)") { (client) async throws in
                var last = start
                for _ in 77..<160 {
                    let message = try #require(try await client.nextEvent())
                    let now = try #require(MergedCursor(message.id)).seqs
                    #expect(now.reduce(0, +) == last.reduce(0, +) + 1)
                    last = now
                }
                #expect(last == [40, 40, 40, 40])
            }
            var sse = try await SSEClient(api.url("/streams/firehose"), lastEventID: at)
            #expect(try await sse.nextEvent()?.id.flatMap(MergedCursor.init)?.seqs.reduce(0, +) == 78)
        }
    }

    @Test("at shutdown a client is told to come back, by the code 1012 and a time")
    func drain() async throws {
        try await TestAPI.run { api in
            await api.append(testEvents(run, count: 1))
            try await WebSocketClient.connected(api.port, "/runs/firehose/1/stream") { (client) async throws in
                #expect(try await client.nextEvent()?.id == "1")
                await api.shutDown()
                let end = try #require(try await client.nextEvent())
                #expect(end.code == 1012)
                let wait = end.reason.split(separator: "=").last.flatMap { Int($0) }
                #expect(end.reason.hasPrefix("shutting_down retry_ms="))
                #expect(wait.map { (1000...2000).contains($0) } == true)
            }
        }
    }

    @Test("a client that takes nothing is closed")
    func slowClient() async throws {
        var configuration = TestAPI.configuration
        configuration.slowClientTimeout = .milliseconds(50)
        configuration.streamBufferBytes = 4096
        let (logger, texts) = SignalLogHandler.logger()
        try await TestAPI.run(configuration, logger: logger) { api in
            await api.append(testEvents(run, count: 300, bytes: 100_000))
            try await WebSocketClient.connected(api.port, "/runs/firehose/1/stream") { (client) async throws in
                #expect(client.status == 101)
                for await text in texts where text == "slow client closed" { break }
                #expect(String(decoding: api.metrics.text(), as: UTF8.self).contains("weir_stream_slow_closed_total 1"))
            }
        }
    }

    @Test("what is no handshake is told, another origin is refused, and other paths answer as ever")
    func handshake() async throws {
        try await TestAPI.run { api in
            await api.append(testEvents(run, count: 1))
            try await WebSocketClient.connected(api.port, "/runs/firehose/1/stream", key: nil) { (client) async throws in
                #expect(client.status == 426)
                #expect(client.head.contains("Sec-WebSocket-Version: 13"))
                #expect(client.body.contains("bad_handshake"))
            }
            try await WebSocketClient.connected(api.port, "/runs/firehose/1/stream", headers: ["Origin: https://elsewhere.example"]) {
                (client) async throws in
                #expect(client.status == 403)
                #expect(client.body.contains("foreign_origin"))
            }
            try await WebSocketClient.connected(api.port, "/runs/firehose/1/stream", headers: ["Origin: http://localhost:\(api.port)"]) {
                (client) async throws in
                #expect(client.status == 101)
            }
            try await WebSocketClient.connected(api.port, "/runs/none/stream") { (client) async throws in
                #expect(client.status == 404)
                #expect(client.body.contains("run_not_found"))
            }
            try await WebSocketClient.connected(api.port, "/runs/firehose/1") { (client) async throws in
                #expect(client.status == 200)
                // The parser reads nothing behind such a request, so the connection ends with its answer.
                #expect(client.head.contains("Connection: close"))
            }
        }
    }

    @Test(
        "frames against the rules end the stream with their code",
        arguments: [
            ([0x81, 0x02, 0x7B, 0x7D], 1002), (WebSocketClient.frame(2, [1]), 1003), (WebSocketClient.frame(1, [0xFF]), 1007),
            (WebSocketClient.frame(1, Array("{}".utf8)), 1008), (WebSocketClient.frame(1, Array(#"{"ack":1}"#.utf8)), 1008),
            (WebSocketClient.frame(0, [1]), 1002), (WebSocketClient.frame(9, [1], isLast: false), 1002), (WebSocketClient.frame(3, []), 1002),
            (WebSocketClient.frame(1, [UInt8](repeating: 0x20, count: 9000)), 1009),
            (WebSocketClient.frame(1, [], isLast: false) + WebSocketClient.frame(1, []), 1002), ([0xC1, 0x80, 0, 0, 0, 0], 1002),
            (
                WebSocketClient.frame(1, [UInt8](repeating: 0x20, count: 5000), isLast: false)
                    + WebSocketClient.frame(0, [UInt8](repeating: 0x20, count: 5000)), 1009
            ),
        ] as [([UInt8], UInt16)])
    func wrongFrames(bytes: [UInt8], code: UInt16) async throws {
        try await TestAPI.run { api in
            await api.append(testEvents(run, count: 1))
            // Right behind the request: what comes before its answer is not lost.
            try await WebSocketClient.connected(api.port, "/runs/firehose/1/stream", ahead: bytes) { (client) async throws in
                var message = try await client.nextEvent()
                while let now = message, now.code == nil { message = try await client.nextEvent() }
                #expect(message?.code == code, "\(message?.reason ?? "")")
            }
        }
    }
}
