/// A frame of `com.atproto.sync.subscribeRepos` or `com.atproto.label.subscribeLabels`, read in full.
public enum StreamMessage: Hashable, Sendable {
    case commit(CommitMessage)
    case sync(SyncMessage)
    case identity(IdentityMessage)
    case account(AccountMessage)
    case labels(LabelsMessage)
    case info(InfoMessage)
    case error(ErrorMessage)
    /// Another `op` or type, to be ignored.
    case unknown(op: Int64, type: String)

    /// Reads a frame; unknown fields are passed over.
    ///
    /// Throws `cbor` where it is not canonical DAG-CBOR, `message` where a field is missing or not what it should be, `tooLarge` and
    /// `tooManyOps` where a limit of the protocol is passed.
    public init(frame: [UInt8]) throws(FormatError) {
        guard frame.count <= Limits.frameBytes else { throw FormatError(.tooLarge, "a frame of more than \(Limits.frameBytes) bytes") }
        self = try reading(frame) { reader throws(FormatError) in
            let header = try FrameHeader(&reader)
            let type = header.type.map { reader.string($0) } ?? ""
            if header.op == 1, type == "#commit" { return .commit(try CommitMessage(frame, &reader)) }
            if header.op == 1, type == "#sync" { return .sync(try SyncMessage(frame, &reader)) }
            if header.op == 1, type == "#labels" { return .labels(try LabelsMessage(&reader)) }
            guard header.op == -1 || header.op == 1 else { return .unknown(op: header.op, type: type) }
            if header.op == 1, !["#identity", "#account", "#info"].contains(type) { return .unknown(op: 1, type: type) }
            let body = try SmallBody(&reader)
            if header.op == -1 { return .error(ErrorMessage(error: try body.required("error"), message: body.text["message"])) }
            switch type {
            case "#identity":
                return .identity(
                    IdentityMessage(seq: try body.sequence(), did: try body.did(), time: try body.required("time"), handle: body.text["handle"]))
            case "#account":
                guard let active = body.active else { throw FormatError(.message, "no active") }
                return .account(
                    AccountMessage(
                        seq: try body.sequence(), did: try body.did(), time: try body.required("time"), active: active, status: body.text["status"]))
            default: return .info(InfoMessage(name: try body.required("name"), message: body.text["message"]))
            }
        }
    }
}

/// The body of a message that is small and has only text, one number and one boolean.
private struct SmallBody {
    var text: [String: String] = [:]
    var seq: Int64?
    var active: Bool?

    private static let known: Set<String> = ["did", "time", "handle", "status", "name", "message", "error"]

    init(_ reader: inout CBORReader) throws(FormatError) {
        var order = CBORKeyOrder()
        for _ in 0..<(try reader.mapCount()) {
            let key = try reader.key(&order)
            let kind = try reader.kind()
            if kind == .integer, reader.equals(key, "seq") {
                seq = try reader.integer()
            } else if kind == .bool, reader.equals(key, "active") {
                active = try reader.bool()
            } else if kind == .text, key.count < 8 {
                let name = reader.string(key)
                let value = try reader.text()
                if Self.known.contains(name) { text[name] = reader.string(value) }
            } else {
                try reader.skip()
            }
        }
        guard reader.isAtEnd else { throw FormatError(.message, "bytes after the body", offset: reader.offset) }
    }

    func required(_ name: String) throws(FormatError) -> String {
        guard let value = text[name] else { throw FormatError(.message, "no \(name)") }
        return value
    }

    func did() throws(FormatError) -> String {
        let did = try required("did")
        guard Syntax.isDID(did) else { throw FormatError(.message, "no DID in did") }
        return did
    }

    func sequence() throws(FormatError) -> Int64 {
        guard let seq, (1...Limits.sequence).contains(seq) else { throw FormatError(.message, "no seq of 1 to 2^53") }
        return seq
    }
}
