import ATProto
import Events
import NIOCore
import TestSupport
import Testing

@testable import Ingest

@Suite("A strange server's bytes")
struct FuzzSocketTests {
    /// What a reader says of the bytes, in pieces of `size`.
    private func read(_ bytes: [UInt8], in size: Int, limit: Int) -> (
        outputs: [WebSocketFrameReader.Output], violation: WebSocketViolation?, held: Int
    ) {
        var reader = WebSocketFrameReader(messageBytesMax: limit)
        var outputs: [WebSocketFrameReader.Output] = []
        var held = 0
        var rest = bytes[...]
        while !rest.isEmpty {
            reader.receive(ByteBuffer(bytes: rest.prefix(size)))
            rest = rest.dropFirst(size)
            do {
                while let output = try reader.next() { outputs.append(output) }
            } catch {
                return (outputs, error, held)
            }
            held = max(held, reader.heldBytes)
        }
        return (outputs, nil, held)
    }

    @Test("frames are the same whatever the pieces, and what waits inside is bounded by the limit")
    func frames() throws {
        let limit = 1_000
        let corpus = [
            ServerFrame.join([ServerFrame.data([1, 2, 3]), ServerFrame.ping([9]), ServerFrame.text("hello")]),
            ServerFrame.join([
                ServerFrame.data([1], isFinal: false), ServerFrame.data([2], opcode: 0, isFinal: false), ServerFrame.data([3], opcode: 0),
            ]),
            ServerFrame.data(Array(repeating: 1, count: 1_001)), ServerFrame.data(Array(repeating: 7, count: 126)),
            ServerFrame.close(code: 1012, reason: "bye"),
            ServerFrame.join([
                ServerFrame.data(Array(repeating: 1, count: 600), isFinal: false),
                ServerFrame.data(Array(repeating: 2, count: 600), opcode: 0, isFinal: false), ServerFrame.data([5], opcode: 0), ServerFrame.data([4]),
            ]),
        ].map { Array($0.readableBytesView) }
        let tokens: [[UInt8]] = [
            [0x82, 127, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], [0x82, 127, 0x3f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            [0x02, 127, 0, 0, 0, 1, 0, 0, 0, 0], [0x82, 126, 0, 1], [0x00, 1, 7], [0x80, 0], [0x89, 0], [0x88, 0], [0x82, 0x80], [0x01, 0],
        ]
        try FuzzRun("WebSocket frames", inputs: 6_000)(ByteMutator(corpus: corpus, tokens: tokens, bytesMax: 8_192)) { bytes in
            let whole = read(bytes, in: bytes.count, limit: limit)
            for size in [1, 7, 300] {
                let pieces = read(bytes, in: size, limit: limit)
                guard pieces.outputs == whole.outputs, pieces.violation == whole.violation else { return .broken("differs in pieces of \(size)") }
                guard pieces.held <= limit + size + 135 else { return .broken("holds \(pieces.held) bytes") }
            }
            for case .message(let message) in whole.outputs {
                switch message {
                case .binary(let buffer), .text(let buffer): if buffer.readableBytes > limit { return .broken("a message above the limit") }
                case .oversize(let bytes): if bytes <= limit { return .broken("\(bytes) bytes are not too many") }
                }
            }
            return whole.violation == nil ? .accepted : .refused
        }
    }

    @Test("the answer to an upgrade is whole, not yet whole, or none; nothing behind it is taken, and it is the same byte by byte")
    func answers() throws {
        let corpus = [
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n\u{1}\u{2}",
            "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 429 Too Many\r\nRetry-After: 30\r\n\r\nbody", "HTTP/1.0 200\r\nA:b\r\nA: c \r\n\r\n",
        ].map { Array($0.utf8) }
        try FuzzRun("upgrade answers", inputs: 5_000)(ByteMutator(corpus: corpus, tokens: FuzzTokens.text, bytesMax: 20_000)) { bytes in
            var buffer = ByteBuffer(bytes: bytes)
            let whole = Result { () throws(UpgradeAnswer.Invalid) in try UpgradeAnswer.read(from: &buffer) }
            if case .success(nil) = whole, bytes.count > 3 * UpgradeAnswer.headBytesMax { return .broken("waits beyond its bound") }
            // In pieces the same comes out. A rescan for each piece is quadratic, so only for short ones.
            if bytes.count < 600, case .success(let answer?) = whole {
                var pieces = ByteBuffer()
                var found: UpgradeAnswer?
                for byte in bytes where found == nil {
                    pieces.writeInteger(byte)
                    do throws(UpgradeAnswer.Invalid) { found = try UpgradeAnswer.read(from: &pieces) } catch {
                        return .broken("refused in pieces: \(error.problem)")
                    }
                }
                guard found == answer else { return .broken("another answer in pieces") }
            }
            switch whole {
            case .failure: return .refused
            case .success(let answer): return answer == nil ? .refused : (100...999).contains(answer?.status ?? 0) ? .accepted : .broken("status")
            }
        }
    }

    @Test(
        "every message of a connection ends in entries, a session, a note or the end, and positions stay in their range",
        arguments: [Feed.firehose, .labels])
    func routing(feed: Feed) throws {
        let subjects = ["did:plc:a", "at://did:plc:b/a.b.c/d", "did:plc:cc", "at://did:plc:ddd/a.b.c/d"]
        let labels = subjects.map { Label(src: "did:plc:l", uri: $0, val: "spam", cts: "t") }
        let frames = [
            IdentityMessage(seq: 40, did: "did:plc:a", time: "t", handle: "a.test").frame(),
            AccountMessage(seq: 41, did: "did:plc:b", time: "t", active: true).frame(),
            IdentityMessage(seq: 1 << 53, did: "did:plc:a", time: "t").frame(), InfoMessage(name: "OutdatedCursor").frame(),
            ErrorMessage(error: "FutureCursor").frame(), ErrorMessage(error: "ConsumerTooSlow").frame(),
            LabelsMessage(seq: 42, labels: labels).frame(), LabelsMessage(seq: 43, labels: []).frame(),
        ]
        // Of each feed two that are its own, among others.
        let own = feed == .firehose ? Array(frames[..<3]) : [frames[6], frames[7], frames[0]]
        let plans: [FeedPlan] = [
            .live, .resume(Position(epoch: 0, seq: 0)), .resume(Position(epoch: 3, seq: 39)), .newNumbering(after: Position(epoch: 1, seq: 9)),
            .again(after: Position(epoch: 1, seq: 9)),
        ]
        try FuzzRun("routing", inputs: 12_000)(ByteMutator(corpus: frames, tokens: FuzzTokens.cbor, bytesMax: 2_048)) { bytes in
            var router = FeedRouter(feed: feed, host: "relay", plan: plans[bytes.count % plans.count], shards: ShardMap(count: 4))
            if let opening = router.plan.opening { router.opened(opening) }
            var result = FuzzVerdict.refused
            for (index, frame) in [own[bytes.count % 3], bytes, bytes, own[0]].enumerated() {
                var message = router.route(.binary(ByteBuffer(bytes: frame)))
                if case .open(let opening) = message {
                    guard opening.from.seq >= 0 else { return .broken("opens at \(opening.from)") }
                    router.opened(opening)
                    message = router.route(.binary(ByteBuffer(bytes: frame)))
                    if case .open = message { return .broken("asks for a session twice") }
                }
                let entries: [RoutedEntry] =
                    switch message {
                    case .entry(let routed): [routed]
                    case .entries(let several): several
                    default: []
                    }
                guard Set(entries.map(\.shard)).count == entries.count else { return .broken("one shard twice") }
                for routed in entries {
                    let (entry, shard) = (routed.entry, routed.shard)
                    guard (0..<4).contains(shard), (0...1 << 53).contains(entry.position.seq), routed.frame == ByteBuffer(bytes: frame) else {
                        return .broken("\(entry)")
                    }
                    if index == 1, entry.kind != .malformed, entry.kind != .unknown { result = .accepted }
                }
            }
            return result
        }
    }
}
