import ATProto
import Events
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
            case .stream(_, let after, _): return (0...(1 << 53)).contains(after) ? .accepted : .broken("after \(after)")
            case .labels(let uris, let sources):
                let isBounded = (1...Router.labelSubjectsMax).contains(uris.count) && sources.count <= Router.labelSourcesMax
                return isBounded && uris.allSatisfy(Syntax.isLabelSubject) ? .accepted : .broken("\(uris), \(sources)")
            default: return .accepted
            }
        }
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
