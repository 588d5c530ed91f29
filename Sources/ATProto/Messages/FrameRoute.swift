internal import Events

/// The few fields of a frame that route it, read without its blocks and operations.
///
/// Never throws and never stops at what it does not know: a stranger's frame is one of these values. What routes is read with checks;
/// that the rest is right is for whoever reads the full message.
public enum FrameRoute: Hashable, Sendable {
    public enum MessageType: String, Hashable, Sendable, CaseIterable {
        case commit, sync, identity, account

        /// The type that a header's `t` names, byte for byte.
        init?(_ name: Range<Int>, _ reader: CBORReader) {
            if reader.equals(name, "#commit") {
                self = .commit
            } else if reader.equals(name, "#sync") {
                self = .sync
            } else if reader.equals(name, "#identity") {
                self = .identity
            } else if reader.equals(name, "#account") {
                self = .account
            } else {
                return nil
            }
        }
    }

    /// A message with a key: goes to the shard of its DID.
    case message(Fields)
    /// A `#labels`: goes to the shard of each of its labels. `subjects` has the DID of each label's subject, in their order, nil where there is none.
    ///
    /// The one message that is read in full to route it: whoever takes a shard's labels out of it must see the same ones.
    case labels(seq: Int64, subjects: [String?])
    /// An `#info`, without a number; of its texts at most ``noteScalarsMax`` scalars, as of those of an error.
    case info(name: String, message: String?)
    /// An error frame; the server closes after it.
    case error(name: String, message: String?)
    /// Another `op` or type: to be counted and passed. `seq` where its body has one.
    case unknown(op: Int64, type: String, seq: Int64?)
    /// Not a frame, or one without what routes it: to be kept, counted and passed. `seq` where it could be read all the same.
    case malformed(reason: String, seq: Int64?)

    public struct Fields: Hashable, Sendable {
        public var type: MessageType
        /// 1 to 2^53.
        public var seq: Int64
        /// The field `repo` of a `#commit`, `did` of all others.
        public var did: String
        /// A TID at a commit and a sync, otherwise empty.
        public var rev: String
        /// The host's own text, as it came; empty where the message has none.
        public var time: String

        public init(type: MessageType, seq: Int64, did: String, rev: String, time: String) {
            self.type = type
            self.seq = seq
            self.did = did
            self.rev = rev
            self.time = time
        }
    }

    /// How much of what a host tells people is kept: it goes into logs.
    public static let noteScalarsMax = 512

    public static func parse(_ frame: [UInt8]) -> FrameRoute { frame.withUnsafeBytes { parse($0) } }

    /// The same of a frame that lies in somebody's buffer.
    public static func parse(_ frame: UnsafeRawBufferPointer) -> FrameRoute {
        guard frame.count <= Limits.frameBytes else { return .malformed(reason: "a frame of more than \(Limits.frameBytes) bytes", seq: nil) }
        var body = Body()
        do {
            return try reading(frame) { reader throws(FormatError) in
                let header = try FrameHeader(&reader)
                // Of a type that nobody knows here, only the number is of interest; it may be of any shape.
                guard header.op == 1 || header.op == -1 else { return .unknown(op: header.op, type: "", seq: nil) }
                let type = header.type.flatMap { MessageType($0, reader) }
                if header.op == 1, header.type.map({ reader.equals($0, "#labels") }) ?? false { return try labels(&reader, &body) }
                if header.op == 1, type == nil, !(header.type.map { reader.equals($0, "#info") } ?? false) {
                    try? body.read(&reader)
                    let name = header.type.map { reader.string($0).excerpt(scalars: 64) } ?? ""
                    return .unknown(op: 1, type: name, seq: body.seq)
                }
                try body.read(&reader)
                return route(header.op, type, body, reader)
            }
        } catch {
            return .malformed(reason: error.description, seq: body.seq)
        }
    }

    /// Looks for the number first, so that a message that cannot be read still has its place.
    private static func labels(_ reader: inout CBORReader, _ body: inout Body) throws(FormatError) -> FrameRoute {
        var whole = reader
        try body.read(&reader)
        let message = try LabelsMessage(&whole)
        return .labels(seq: message.seq, subjects: message.labels.map(\.did))
    }

    /// `type` is nil at an error and at an `#info`.
    private static func route(_ op: Int64, _ type: MessageType?, _ body: Body, _ reader: CBORReader) -> FrameRoute {
        let text = { (range: Range<Int>?) in range.map { reader.string($0).excerpt(scalars: noteScalarsMax) } }
        if op == -1 {
            guard let name = text(body.error) else { return .malformed(reason: "an error frame without its name", seq: nil) }
            return .error(name: name, message: text(body.message))
        }
        guard let type else {
            guard let name = text(body.name) else { return .malformed(reason: "an info without its name", seq: body.seq) }
            return .info(name: name, message: text(body.message))
        }
        guard let seq = body.seq, (1...Limits.sequence).contains(seq) else { return .malformed(reason: "no seq of 1 to 2^53", seq: nil) }
        guard let did = type == .commit ? body.repo : body.did, Syntax.isDID(utf8: reader.buffer[did]) else {
            return .malformed(reason: "no DID in \(type == .commit ? "repo" : "did")", seq: seq)
        }
        var rev = ""
        if type == .commit || type == .sync {
            guard let range = body.rev, TID(utf8: reader.buffer[range]) != nil else { return .malformed(reason: "no TID in rev", seq: seq) }
            rev = reader.string(range)
        }
        return .message(Fields(type: type, seq: seq, did: reader.string(did), rev: rev, time: body.time.map { reader.string($0) } ?? ""))
    }

    /// Where the fields lie. A field of another kind than it should be is as good as none.
    private struct Body {
        var seq: Int64?
        var did: Range<Int>?
        var repo: Range<Int>?
        var rev: Range<Int>?
        var time: Range<Int>?
        var name: Range<Int>?
        var error: Range<Int>?
        var message: Range<Int>?

        mutating func read(_ reader: inout CBORReader) throws(FormatError) {
            for _ in 0..<(try reader.mapCount()) {
                let key = try reader.text()
                let kind = try reader.kind()
                if kind == .integer, reader.equals(key, "seq") {
                    seq = try reader.integer()
                } else if kind == .text {
                    try store(try reader.text(), under: key, reader)
                } else {
                    try reader.skip()
                }
            }
            guard reader.isAtEnd else { throw FormatError(.message, "bytes after the body", offset: reader.offset) }
        }

        private mutating func store(_ value: Range<Int>, under key: Range<Int>, _ reader: CBORReader) throws(FormatError) {
            switch key.count {
            case 3:
                if reader.equals(key, "did") { did = value }
                if reader.equals(key, "rev") { rev = value }
            case 4:
                if reader.equals(key, "repo") { repo = value }
                if reader.equals(key, "time") { time = value }
                if reader.equals(key, "name") { name = value }
            case 5: if reader.equals(key, "error") { error = value }
            case 7: if reader.equals(key, "message") { message = value }
            default: break
            }
        }
    }
}
