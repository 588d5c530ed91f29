import Events
import NIOCore
import NIOEmbedded
import NIOHTTP1
import TestSupport
import Testing

@testable import Serve

@Suite("Bodies of requests", .timeLimit(.minutes(10))) struct BodyTests {
    private static let json = "Content-Type: application/json\r\n"

    private func body(_ dids: String...) -> String { #"{"dids":["# + dids.map { "\"\($0)\"" }.joined(separator: ",") + "]}" }

    /// A POST whose body has a length.
    private func post(_ path: String, _ body: String, _ more: String = "") -> String {
        "POST \(path) HTTP/1.1\r\nHost: a\r\n\(Self.json)\(more)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    private func many(_ count: Int, pad: Int = 0) -> String {
        #"{"dids":["# + (0..<count).map { "\"did:plc:\($0)\"" }.joined(separator: ",") + "]" + String(repeating: " ", count: pad) + "}"
    }

    @Test("a body comes in pieces, by length or in chunks, and the connection goes on after it")
    func pieces() async throws {
        try await TestAPI.run { api in
            try await RawHTTP.connected(api.port) { client in
                let whole = post("/repos/add", body("did:plc:a", "did:plc:b"))
                for byte in whole.utf8 { try await client.send(String(decoding: [byte], as: UTF8.self)) }
                let first = try await client.reply()
                #expect(first.status == 200)
                #expect(first.body.contains(#"{"did":"did:plc:a","result":"added"},{"did":"did:plc:b","result":"added"}"#))
                #expect(first.body.contains(#""counts":{"added":2}"#))
                #expect(!first.head.contains("Connection: close"))
                let text = body("did:plc:b", "did:plc:c")
                var chunked = "POST /repos/add HTTP/1.1\r\nHost: a\r\n\(Self.json)Transfer-Encoding: chunked\r\n\r\n"
                for character in text { chunked += "1;x=y\r\n\(character)\r\n" }
                try await client.send(chunked + "0\r\nTrailer: x\r\n\r\n")
                let second = try await client.reply()
                #expect(second.body.contains(#""counts":{"added":1,"already_wanted":1}"#), "\(second)")
            }
            #expect(await api.repositories.wanted == ["did:plc:a": true, "did:plc:b": true, "did:plc:c": true])
        }
    }

    @Test("requests that are sent ahead of their turn are answered in order, those with large bodies too")
    func pipelined() async throws {
        try await TestAPI.run { api in
            await api.repositories.hold()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await RawHTTP.connected(api.port) { client in
                        let requests = [
                            post("/repos/add", body("did:plc:a")), post("/repos/add", many(9_000, pad: 700_000)),
                            "GET /health HTTP/1.1\r\nHost: a\r\n\r\n",
                            post("/repos/remove", many(9_000)), post("/repos/resync", body("did:plc:a", "did:plc:1")),
                            "GET /repos/did:plc:1 HTTP/1.1\r\nHost: a\r\n\r\n",
                        ]
                        try await client.send(requests.joined())
                        var replies: [String] = []
                        for _ in requests { replies.append(try await client.reply().body) }
                        #expect(replies[0].hasSuffix(#""counts":{"added":1}}"#))
                        #expect(replies[1].hasSuffix(#""counts":{"added":9000}}"#))
                        #expect(replies[2] == #"{"status":"alive"}"#)
                        #expect(replies[3].hasSuffix(#""counts":{"removed":9000}}"#))
                        #expect(replies[4].hasSuffix(#""counts":{"requested":1,"not_tracked":1}}"#))
                        #expect(replies[5].contains(#""phase":"removed""#))
                    }
                }
                // The first one waits until all of the others could have come.
                await api.repositories.waitForCalls(1)
                await api.repositories.letGo()
                try await group.waitForAll()
            }
        }
    }

    /// Answers nothing for ever.
    private struct Silent: Responder {
        func decide(_ request: Request) -> Decision { .compute { HTTPReply.nothingMore } }
    }

    @Test("as long as a request waits for its turn nothing more is read from its client")
    func backpressure() throws {
        let parts = ServerParts(
            configuration: ServerConfiguration(), responder: Silent(), metrics: ServerMetrics(factory: PrometheusMetrics()), streaming: nil,
            logger: SharedServers.quietLogger)
        let channel = EmbeddedChannel()
        let handler = RequestHandler(connections: LoopConnections(parts: parts, eventLoop: channel.eventLoop), isOneTooMany: false)
        try channel.pipeline.syncOperations.addHandler(handler)
        try channel.connect(to: SocketAddress(unixDomainSocketPath: "/nobody")).wait()
        var isRead: Bool { channel.options.last { $0.option is ChannelOptions.Types.AutoReadOption }?.value as? Bool ?? true }
        let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: "/")
        try channel.writeInbound(HTTPServerRequestPart.head(head))
        try channel.writeInbound(HTTPServerRequestPart.end(nil))
        #expect(isRead)
        try channel.writeInbound(HTTPServerRequestPart.head(head))
        #expect(!isRead)
        for _ in 0..<15 { try channel.writeInbound(HTTPServerRequestPart.head(head)) }
        #expect(channel.isActive)
        try channel.writeInbound(HTTPServerRequestPart.head(head))
        #expect(!channel.isActive)
    }

    @Test("who asks first whether to send a body is told to, or why not")
    func expectation() async throws {
        try await TestAPI.run { api in
            try await RawHTTP.connected(api.port) { client in
                let text = body("did:plc:a")
                let head = "POST /repos/add HTTP/1.1\r\nHost: a\r\n\(Self.json)Expect: 100-Continue\r\nContent-Length: \(text.utf8.count)\r\n\r\n"
                try await client.send(head)
                #expect(try await client.reply().status == 100)
                try await client.send(text)
                #expect(try await client.reply().status == 200)
                try await client.send(head.replacing("application/json", with: "text/plain"))
                #expect(try await client.reply().status == 415)
                #expect(try await client.isEnded())
            }
            try await RawHTTP.connected(api.port) { client in
                try await client.send(post("/repos/add", body("did:plc:a"), "Expect: a miracle\r\n"))
                let reply = try await client.reply()
                #expect(reply.status == 417 && reply.body.contains("expectation_failed"))
            }
        }
    }

    @Test("a body above its bound is refused, and who goes on sending it can still read why", arguments: ["Content-Length: 8000000", "chunked"])
    func tooLarge(framing: String) async throws {
        try await TestAPI.run { api in
            try await RawHTTP.connected(api.port) { client in
                let isChunked = framing == "chunked"
                let header = isChunked ? "Transfer-Encoding: chunked" : framing
                try await client.send("POST /repos/add HTTP/1.1\r\nHost: a\r\n\(Self.json)\(header)\r\n\r\n")
                let piece = String(repeating: " ", count: 100_000)
                for _ in 0..<80 { try await client.send(isChunked ? "186a0\r\n\(piece)\r\n" : piece) }
                let reply = try await client.reply()
                #expect(reply.status == 413 && reply.body.contains("body_too_large") && reply.head.contains("Connection: close"))
                #expect(try await client.isEnded())
            }
        }
    }

    @Test("a body that does not come in time is given up")
    func tooSlow() async throws {
        var configuration = TestAPI.configuration
        configuration.bodyTimeout = .milliseconds(30)
        try await TestAPI.run(configuration) { api in
            try await RawHTTP.connected(api.port) { client in
                try await client.send("POST /repos/add HTTP/1.1\r\nHost: a\r\n\(Self.json)Content-Length: 40\r\n\r\n{\"dids\"")
                let reply = try await client.reply()
                #expect(reply.status == 408 && reply.body.contains("body_too_slow"))
                #expect(try await client.isEnded())
            }
        }
    }

    @Test(
        "a path that takes no body refuses one, and says first what else is wrong",
        arguments: [
            ("GET /runs", 400, "body_not_allowed"), ("GET /streams/firehose", 400, "body_not_allowed"), ("GET /health", 400, "body_not_allowed"),
            ("POST /runs/a", 405, "method_not_allowed"), ("GET /nowhere", 404, "not_found"), ("GET /repos/add", 405, "method_not_allowed"),
            ("PUT /repos/did:plc:a", 405, "method_not_allowed"),
        ])
    func notAllowed(request: String, status: Int, code: String) async throws {
        try await TestAPI.run { api in
            for framing in ["Content-Length: 2\r\n\r\n{}", "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"] {
                try await RawHTTP.connected(api.port) { client in
                    try await client.send("\(request) HTTP/1.1\r\nHost: a\r\n\(framing)")
                    let reply = try await client.reply()
                    #expect(reply.status == status && reply.body.contains("\"code\":\"\(code)\""), "\(reply)")
                    #expect(try await client.isEnded())
                }
            }
            // A length of nothing is no body.
            try await RawHTTP.connected(api.port) { client in
                try await client.send("GET /health HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\nGET /health HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(try await client.reply().status == 200)
                #expect(try await client.reply().status == 200)
            }
        }
    }

    @Test("all bodies together keep within their bytes, and those of a client that went away no longer count")
    func budget() async throws {
        var configuration = TestAPI.configuration
        configuration.bodyBytesMax = 10_000
        configuration.bodiesBytesMax = 10_000
        configuration.bodyTimeout = .seconds(300)
        try await TestAPI.run(configuration) { api in
            let large = body("did:plc:a") + String(repeating: " ", count: 6_000)
            await api.repositories.hold()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await RawHTTP.connected(api.port) { client in
                        try await client.send(post("/repos/add", large))
                        #expect(try await client.reply().status == 200)
                    }
                }
                // It is held while it is answered.
                await api.repositories.waitForCalls(1)
                try await RawHTTP.connected(api.port) { client in
                    try await client.send(post("/repos/add", large))
                    let reply = try await client.reply()
                    #expect(reply.status == 503 && reply.body.contains("overloaded") && reply.head.contains("Retry-After"))
                }
                await api.repositories.letGo()
                try await group.waitForAll()
            }
            // Clients that go away before the end.
            for _ in 0..<3 {
                try await RawHTTP.connected(api.port) { client in try await client.send(String(post("/repos/add", large).dropLast(3))) }
            }
            var status: UInt = 503
            for _ in 0..<2_000 where status == 503 { status = try await api.post("/repos/add", large).status }
            #expect(status == 200)
        }
    }

    @Test("at shutdown a body that is coming is not waited for")
    func shutdown() async throws {
        var configuration = TestAPI.configuration
        configuration.bodyTimeout = .seconds(300)
        try await TestAPI.run(configuration) { api in
            try await RawHTTP.connected(api.port) { client in
                let text = body("did:plc:a")
                try await client.send(
                    "POST /repos/add HTTP/1.1\r\nHost: a\r\n\(Self.json)Expect: 100-continue\r\nContent-Length: \(text.utf8.count)\r\n\r\n")
                #expect(try await client.reply().status == 100)
                await api.shutDown()
                #expect(try await client.reply().status == 503)
            }
        }
    }

    @Test("what is no body by its own framing is refused") func broken() async throws {
        try await TestAPI.run { api in
            for framing in [
                "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}", "Content-Length: -1\r\n\r\n{}", "Content-Length: 99999999999999999999\r\n\r\n",
            ] {
                try await RawHTTP.connected(api.port) { client in
                    try await client.send("POST /repos/add HTTP/1.1\r\nHost: a\r\n\(Self.json)\(framing)")
                    #expect(try await client.reply().status == 400)
                    #expect(try await client.isEnded())
                }
            }
        }
    }

    @Test("a client of HTTP/1.0 is answered and hung up on, and told nothing in between")
    func oldClient() async throws {
        try await TestAPI.run { api in
            try await RawHTTP.connected(api.port) { client in
                try await client.send(post("/repos/add", body("did:plc:a"), "Expect: 100-continue\r\n").replacing("HTTP/1.1", with: "HTTP/1.0"))
                #expect(try await client.reply().status == 200)
                #expect(try await client.isEnded())
            }
        }
    }
}
