import Events
import Ledger
import TestSupport
import Testing

@testable import Serve

@Suite(.timeLimit(.minutes(10))) struct SubscriptionTests {
    private let run: RunID = .firehose(1)
    private var key: SubscriptionKey { SubscriptionKey(topic: .run(run), name: "mailer") }
    private let path = "/runs/firehose/1/stream?subscription=mailer"

    @Test("a reconnect without a place resumes behind the last acknowledged event, one with a place there; none turns it back")
    func resume() async throws {
        let key = key
        try await TestAPI.run { api in
            await api.append(testEvents(run, count: 10))
            try await WebSocketClient.connected(api.port, path) { (client) async throws in
                for _ in 0..<6 { _ = try #require(try await client.nextEvent()) }
                try await client.send(#"{"ack": 4}"#)
                try await client.send(#"{ "ack" : "2" }"#)
                await api.subscriptions.wait { $0[key] == [4] }
            }
            try await WebSocketClient.connected(api.port, path) { (client) async throws in
                #expect(try await client.next()?.id == "4")
                #expect(try await client.nextEvent()?.id == "5")
            }
            try await WebSocketClient.connected(api.port, path + "&fromSeq=1") { (client) async throws in
                #expect(try await client.nextEvent()?.id == "2")
                try await client.send(#"{"ack": 2}"#)
                // Answered behind the acknowledgement: that was read.
                try await client.send(9, [])
                while client.pongs.isEmpty { _ = try #require(try await client.next()) }
            }
            try await WebSocketClient.connected(api.port, path) { (client) async throws in #expect(try await client.next()?.id == "4") }
        }
    }

    @Test("what is not written yet counts for a client that comes back, also while the ledger is down; it is written when it is back")
    func debounced() async throws {
        let key = key
        var configuration = TestAPI.configuration
        configuration.ackDebounce = .milliseconds(30)
        try await TestAPI.run(configuration) { api in
            await api.append(testEvents(run, count: 500))
            try await WebSocketClient.connected(api.port, path) { (client) async throws in
                for _ in 0..<500 { _ = try #require(try await client.nextEvent()) }
                for seq in 1...500 { try await client.send(#"{"ack": \#(seq)}"#) }
                await api.subscriptions.wait { $0[key] == [500] }
            }
            // One write each 30 ms at most, not one an acknowledgement.
            #expect(await api.subscriptions.writes < 250)
            await api.append(testEvents(run, from: 501, count: 3))
            try await WebSocketClient.connected(api.port, path) { (client) async throws in
                for _ in 0..<3 { _ = try #require(try await client.nextEvent()) }
                await api.subscriptions.setDown(true)
                try await client.send(#"{"ack": 502}"#)
                try await client.send(9, [])
                while client.pongs.isEmpty { _ = try #require(try await client.next()) }
            }
            await api.subscriptions.setDown(false)
            try await WebSocketClient.connected(api.port, path) { (client) async throws in #expect(try await client.next()?.id == "502") }
            await api.subscriptions.wait { $0[key] == [502] }
        }
    }

    @Test("shutdown writes what was acknowledged before it ends")
    func drain() async throws {
        let key = key
        var configuration = TestAPI.configuration
        configuration.ackDebounce = .seconds(10)
        let (stores, store) = AsyncStream<MemorySubscriptions>.makeStream()
        try await TestAPI.run(configuration) { api in
            store.yield(api.subscriptions)
            await api.append(testEvents(run, count: 3))
            try await WebSocketClient.connected(api.port, path) { (client) async throws in
                for _ in 0..<3 { _ = try #require(try await client.nextEvent()) }
                try await client.send(#"{"ack": 3}"#)
                try await client.send(9, [])
                while client.pongs.isEmpty { _ = try #require(try await client.next()) }
                #expect(await api.subscriptions.positions[key] == [0])
                await api.shutDown()
                while let message = try await client.next(), message.code == nil {}
            }
        }
        var iterator = stores.makeAsyncIterator()
        let subscriptions = try #require(await iterator.next())
        #expect(await subscriptions.positions[key] == [3])
    }

    @Test("the newer of two clients of one name takes over, in this process and from another; a deleted subscription ends its client")
    func takeOver() async throws {
        let key = key
        try await TestAPI.run { api in
            await api.append(testEvents(run, count: 3))
            try await WebSocketClient.connected(api.port, path) { (older) async throws in
                #expect(try await older.nextEvent()?.id == "1")
                try await WebSocketClient.connected(api.port, path) { (newer) async throws in #expect(try await newer.nextEvent()?.id == "1") }
                var end = try await older.nextEvent()
                while let message = end, message.code == nil { end = try await older.nextEvent() }
                #expect(end?.code == 4001)
            }
            for (code, change) in [(4001, false), (4002, true)] as [(UInt16, Bool)] {
                try await WebSocketClient.connected(api.port, path) { (client) async throws in
                    #expect(try await client.nextEvent()?.id == "1")
                    if change {
                        _ = try await api.subscriptions.deleteSubscriptions(name: "mailer", topic: nil)
                    } else {
                        await api.subscriptions.takeOver(key)
                    }
                    var end = try await client.nextEvent()
                    while let message = end, message.code == nil { end = try await client.nextEvent() }
                    #expect(end?.code == code)
                }
            }
        }
    }

    @Test("a merged stream acknowledges cursors, and begins where it began before while nothing is acknowledged")
    func merged() async throws {
        let key = SubscriptionKey(topic: .log(.firehose), name: "mailer")
        let path = "/streams/firehose?subscription=mailer"
        try await TestAPI.run { api in
            for shard in 0..<4 { await api.append(testEvents(.firehose(shard), count: 2)) }
            try await WebSocketClient.connected(api.port, path) { (client) async throws in
                #expect(try await client.next()?.id == MergedCursor(seqs: [2, 2, 2, 2]).description)
            }
            for shard in 0..<4 { await api.append(testEvents(.firehose(shard), from: 3, count: 2)) }
            try await WebSocketClient.connected(api.port, path) { (client) async throws in
                var last = ""
                for _ in 0..<3 { last = try #require(try await client.nextEvent()).id }
                try await client.send(#"{"ack":"\#(last)"}"#)
                let acked = try #require(MergedCursor(last)).seqs
                await api.subscriptions.wait { $0[key] == acked }
            }
            try await WebSocketClient.connected(api.port, path) { (client) async throws in
                for _ in 0..<5 { _ = try #require(try await client.nextEvent()) }
                try await client.send(#"{"ack":"\#(MergedCursor(seqs: [9, 4, 4, 4]))"}"#)
                let end = try #require(try await client.nextEvent())
                #expect(end.code == 1008)
                #expect(end.reason.hasPrefix("ack_ahead"))
            }
        }
    }

    @Test("subscriptions are listed in pages and deleted; an event stream can have none")
    func api() async throws {
        try await TestAPI.run { api in
            await api.append(testEvents(run, count: 3))
            for name in ["a", "b", "mailer"] {
                try await WebSocketClient.connected(api.port, "/runs/firehose/1/stream?subscription=\(name)") { (client) async throws in
                    #expect(client.status == 101)
                }
            }
            let page = try await api.get("/subscriptions?limit=2")
            #expect(page.body.contains(#"{"name":"a","run":"firehose/1","acked":0,"behind":7,"opens":1,"#))
            let cursor = try #require(page.body.split(separator: #""cursor":""#).last?.split(separator: "\"").first)
            let rest = try await api.get("/subscriptions?limit=2&after=\(cursor)").body
            #expect(rest.contains(#""name":"mailer""#))
            #expect(!rest.contains(#""name":"b""#))
            #expect(try await api.get("/subscriptions?name=b").body.contains(#""name":"b""#))
            #expect(try await api.get("/subscriptions/a?run=firehose/2", method: "DELETE").status == 404)
            #expect(try await api.get("/subscriptions/a?run=firehose/1", method: "DELETE").body == #"{"deleted":1}"#)
            #expect(try await api.get("/subscriptions/b", method: "DELETE").status == 200)
            #expect(try await api.get("/subscriptions/b", method: "DELETE").status == 404)
            #expect(try await api.get("/subscriptions").body.contains(#""name":"b""#) == false)
            for path in [
                "/runs/firehose/1/stream?subscription=x", "/streams/labels?subscription=x", "/subscriptions?after=zz", "/subscriptions/a?stream=x",
            ] {
                #expect(try await api.get(path, method: path.contains("a?stream") ? "DELETE" : "GET").status == 400, "\(path)")
            }
            try await WebSocketClient.connected(api.port, "/runs/firehose/1/stream?subscription=a/b") { #expect($0.status == 400) }
        }
    }

    @Test("a client that comes back more than ten times a minute is noted once")
    func flapping() async throws {
        try await TestAPI.run { api in
            await api.append(testEvents(run, count: 3))
            for _ in 0..<25 {
                let client = try await SSEClient(api.url("/runs/firehose/1/stream"), lastEventID: "1")
                #expect(client.status == 200)
            }
            await api.subscriptions.wait { _ in true }
            for _ in 0..<12 { try await WebSocketClient.connected(api.port, path) { #expect($0.status == 101) } }
            var found = await api.subscriptions.flapping
            while found.count < 2 {
                try await WebSocketClient.connected(api.port, "/runs/firehose/1/stream") { (client) async throws in _ = try await client.next() }
                found = await api.subscriptions.flapping
            }
            #expect(found.map(\.client).sorted() == ["127.0.0.1", "mailer"])
            #expect(found.allSatisfy { $0.opens == 11 && $0.topic == "firehose/1" })
        }
    }
}
