import ATProto
import Events
import Ledger
import NIOCore
import NIOEmbedded
import NIOHTTP1
import TestSupport
import Testing

@testable import Serve

@Suite("Strangers' requests")
struct FuzzRequestTests {
    @Test("a target is a route or a problem, and no number leaves its range")
    func targets() throws {
        let corpus = [
            "/runs/firehose/3/stream?fromSeq=12&format=weir&collections=app.bsky.feed.*,a.b.c&dids=did:plc:a&kinds=record&actions=create",
            "/runs?state=started&limit=20&cursor=firehose%2F3&kind=x", "/runs/a/events?fromSeq=1&limit=1000", "/streams/firehose?cursor=earliest",
            "/streams/firehose?cursor=" + MergedCursor(seqs: [1, 20, 300]).description, "/health", "/api/agents/runs/x:y/stream?format=jetstream",
            "/runs/%66irehose/1+2", "/metrics?x", "/status", "/", "/streams/labels?cursor=now&kinds=label",
            "/labels?uri=at://did:plc:a/app.bsky.feed.post/3k&uri=did:web:b.test&src=did:plc:l",
        ].map { Array($0.utf8) }
        let router = Router(servesLog: true)
        try FuzzRun("requests", inputs: 10_000)(ByteMutator(corpus: corpus, tokens: FuzzTokens.text, bytesMax: 20_000)) { bytes in
            let target = String(decoding: bytes, as: UTF8.self)
            var headers = HTTPHeaders()
            if bytes.count % 3 == 0 { headers.add(name: "Last-Event-ID", value: String(target.suffix(40))) }
            guard let request = try? Request(method: .GET, target: target, headers: headers), let route = try? router.route(request) else {
                return .refused
            }
            guard request.path.hasPrefix("/") else { return .broken("path \(request.path)") }
            switch route {
            case .runs(_, _, _, let limit): return (1...1000).contains(limit) ? .accepted : .broken("limit \(limit)")
            case .events(_, let after, let limit, _): return after >= 0 && (1...1000).contains(limit) ? .accepted : .broken("\(after), \(limit)")
            case .stream(_, let after, _): return (0...(1 << 53)).contains(after ?? 0) ? .accepted : .broken("after \(after ?? 0)")
            case .labels(let uris, let sources):
                let isBounded = (1...Router.labelSubjectsMax).contains(uris.count) && sources.count <= Router.labelSourcesMax
                return isBounded && uris.allSatisfy(Syntax.isLabelSubject) ? .accepted : .broken("\(uris), \(sources)")
            default: return .accepted
            }
        }
    }

    @Test("the body of a change is 1 to 10,000 DIDs, each once, or a problem that says what is allowed")
    func bodies() throws {
        let corpus = [
            #"{"dids":["did:plc:z72i7hdynmk6r22z27h6tvur","did:web:a.example"]}"#, #"{ "dids" : [ "did:plc:a" ] }"#, #"{"dids":[]}"#,
            #"{"dids":["did:plc:\u0061","did:web:localhost%3A80"],"x":null}"#, #"[{"dids":{"a":[1,2.5,true,null,"x"]}}]"#,
            #"{"dids":["# + (0..<400).map { "\"did:plc:\($0)\"" }.joined(separator: ",") + "]}",
        ].map { Array($0.utf8) }
        let mutator = ByteMutator(corpus: corpus, tokens: FuzzTokens.json + FuzzTokens.text, bytesMax: 40_000)
        try FuzzRun("bodies of changes", inputs: 20_000)(mutator) { bytes in
            let body: ScopeBody
            do throws(Problem) {
                body = try ScopeBody(bytes)
            } catch {
                guard error.code.status == .badRequest, error.allowed?.isEmpty == false else { return .broken("\(error)") }
                return error.reply.body.count < 8_192 ? .refused : .broken("a problem of \(error.reply.body.count) bytes")
            }
            guard (1...Ledger.scopeCallMax).contains(body.dids.count), Set(body.dids).count == body.dids.count else {
                return .broken("\(body.dids.count)")
            }
            guard body.dids.allSatisfy({ Syntax.isDID($0) }) else { return .broken("\(body.dids)") }
            let again = try? ScopeBody(Array((#"{"dids":["# + body.dids.map { "\"\($0)\"" }.joined(separator: ",") + "]}").utf8))
            return again == body ? .accepted : .broken("reads as \(body.dids), which reads otherwise")
        }
    }

    /// Takes a body at one path, and answers 200 at all others.
    private struct Echo: Responder {
        func decide(_ request: Request) -> Decision {
            request.path == "/repos/add"
                ? .receive(changing: nil) { body in HTTPReply(contentType: "text/plain", body: body) } : .reply(.json { $0.null() })
        }
    }

    @Test("whatever comes over a connection: only whole replies go out, and no body outlives it or its bound")
    func connections() throws {
        let (head, json) = ("HTTP/1.1\r\nHost: a\r\n", #"{"dids":["did:plc:a"]}"#)
        let corpus = [
            "GET /health \(head)\r\nGET /runs \(head)Connection: close\r\n\r\n", "POST /repos/add \(head)Content-Length: 22\r\n\r\n\(json)",
            "GET / \(head)\r\nPOST /repos/add \(head)Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n16\r\n\(json)\r\n0\r\n\r\nGET / \(head)\r\n",
            "GET / \(head)Content-Length: 3\r\n\r\nabcGET / \(head)\r\n", "HEAD /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /y HTTP/1.0\r\n\r\n",
            "POST /repos/add \(head)Content-Length: 4000\r\n\r\n\(String(repeating: "a", count: 4_000))",
            String(repeating: "GET /a \(head)\r\n", count: 20),
        ].map { Array($0.utf8) }
        let tokens =
            FuzzTokens.text + ["Content-Length: 9\r\n", "Transfer-Encoding: chunked\r\n", "0\r\n\r\n", "POST /repos/add "].map { Array($0.utf8) }
        var configuration = ServerConfiguration()
        configuration.bodyBytesMax = 3_000
        configuration.bodiesBytesMax = 3_000
        let metrics = ServerMetrics(factory: PrometheusMetrics())
        try FuzzRun("connections", inputs: 4_000)(ByteMutator(corpus: corpus, tokens: tokens, bytesMax: 20_000)) { bytes in
            let parts = ServerParts(
                configuration: configuration, responder: Echo(), metrics: metrics, streaming: nil, logger: SharedServers.quietLogger)
            let channel = EmbeddedChannel()
            let loop = LoopConnections(parts: parts, eventLoop: channel.eventLoop)
            let pipeline = channel.pipeline.syncOperations
            do {
                try pipeline.addHandler(HTTPResponseEncoder())
                try pipeline.addHandler(ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes)))
                try pipeline.addHandler(RequestHandler(connections: loop, isOneTooMany: false))
                try channel.connect(to: SocketAddress(unixDomainSocketPath: "/nobody")).wait()
            } catch {
                return .broken("\(error)")
            }
            var out: [UInt8] = []
            for start in stride(from: 0, to: bytes.count, by: 1 + bytes.count / 3) {
                _ = try? channel.writeInbound(ByteBuffer(bytes: bytes[start..<min(bytes.count, start + 1 + bytes.count / 3)]))
                guard parts.bodies.now <= configuration.bodiesBytesMax else { return .broken("\(parts.bodies.now) bytes of bodies") }
            }
            while let part = try? channel.readOutbound(as: ByteBuffer.self) { out += part.readableBytesView }
            _ = try? channel.finish(acceptAlreadyClosed: true)
            guard parts.bodies.now == 0 else { return .broken("\(parts.bodies.now) bytes of a body are left") }
            return Self.verdict(out)
        }
    }

    /// Replies up to the last byte, none of them a failure of ours. A reply to HEAD has a length and no body, and what follows it is told by its start.
    private static func verdict(_ out: [UInt8]) -> FuzzVerdict {
        let text = String(decoding: out, as: UTF8.self)
        guard text.isEmpty || text.hasPrefix("HTTP/1.") else { return .broken("\(text.prefix(200))") }
        guard text.isEmpty || text.hasSuffix("}") || text.hasSuffix("null") || text.hasSuffix("\r\n\r\n") else {
            return .broken("ends in \(text.suffix(80))")
        }
        return text.contains(" 500 ") ? .broken("500") : text.contains(" 200 OK") ? .accepted : .refused
    }

    @Test("a cursor reads only where it was made here: it writes itself as it was")
    func cursors() throws {
        let corpus = [[0], [1, 2, 3], Array(repeating: 1 << 40, count: 32), Array(0..<200), [0, 1 << 53]].map {
            Array(MergedCursor(seqs: $0).description.utf8)
        }
        try FuzzRun("firehose cursors", inputs: 20_000)(
            ByteMutator(corpus: corpus, tokens: FuzzTokens.text + [Array("AQ".utf8), Array("gICA".utf8)], bytesMax: 18_000)
        ) { bytes in
            guard let text = String(validating: bytes, as: UTF8.self), let cursor = MergedCursor(text) else { return .refused }
            guard cursor.seqs.allSatisfy({ (0...(1 << 53)).contains($0) }), cursor.seqs.count <= MergedCursor.shardsMax else {
                return .broken("\(cursor.seqs)")
            }
            guard let again = MergedCursor(cursor.description), again == cursor else {
                return .broken("reads as \(cursor.seqs), which writes itself otherwise")
            }
            return .accepted
        }
    }

    @Test("base64url: what decodes encodes to the same text")
    func base64url() throws {
        let corpus = ["", "AQ", "AQM", "Zm9vYmFy", "_-8"].map { Array($0.utf8) }
        try FuzzRun("base64url", inputs: 20_000)(ByteMutator(corpus: corpus, tokens: FuzzTokens.text, bytesMax: 4_096)) { bytes in
            guard let raw = Base64URL.decode(bytes) else { return .refused }
            var text: [UInt8] = []
            Base64URL.append(raw, to: &text)
            return text == bytes ? .accepted : .broken("another text")
        }
    }
}
