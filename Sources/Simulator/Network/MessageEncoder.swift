import ATProto

/// Encodes messages of `com.atproto.sync.subscribeRepos` around the values that relays fill in. Keys stand in canonical order.
enum MessageEncoder {
    struct Commit {
        var did: String
        var rev: String
        var since: String?
        var commit: CID
        var previousData: CID?
        var operations: [RepositoryOperation]
        /// A CAR.
        var blocks: [UInt8]
    }

    static func commit(_ message: Commit) -> MessageBody {
        var writer = Parts(type: "#commit", keys: message.previousData == nil ? 11 : 12, capacity: message.blocks.count + 1_024)
        writer.cbor.text("ops")
        writer.cbor.array(count: message.operations.count)
        for operation in message.operations { write(operation, into: &writer.cbor) }
        writer.cbor.text("rev")
        writer.cbor.text(message.rev)
        writer.seq()
        writer.cbor.text("repo")
        writer.cbor.text(message.did)
        writer.time()
        writer.cbor.text("blobs")
        writer.cbor.array(count: 0)
        writer.cbor.text("since")
        if let since = message.since { writer.cbor.text(since) } else { writer.cbor.null() }
        writer.cbor.text("blocks")
        writer.cbor.byteString(message.blocks)
        writer.cbor.text("commit")
        writer.cbor.link(message.commit)
        writer.cbor.text("rebase")
        writer.cbor.bool(false)
        writer.cbor.text("tooBig")
        writer.cbor.bool(false)
        if let previous = message.previousData {
            writer.cbor.text("prevData")
            writer.cbor.link(previous)
        }
        return writer.body
    }

    static func sync(did: String, rev: String, blocks: [UInt8]) -> MessageBody {
        var writer = Parts(type: "#sync", keys: 5, capacity: blocks.count + 256)
        writer.cbor.text("did")
        writer.cbor.text(did)
        writer.cbor.text("rev")
        writer.cbor.text(rev)
        writer.seq()
        writer.time()
        writer.cbor.text("blocks")
        writer.cbor.byteString(blocks)
        return writer.body
    }

    static func identity(did: String, handle: String?) -> MessageBody {
        var writer = Parts(type: "#identity", keys: handle == nil ? 3 : 4, capacity: 160)
        writer.cbor.text("did")
        writer.cbor.text(did)
        writer.seq()
        writer.time()
        if let handle {
            writer.cbor.text("handle")
            writer.cbor.text(handle)
        }
        return writer.body
    }

    static func account(did: String, active: Bool, status: String?) -> MessageBody {
        var writer = Parts(type: "#account", keys: status == nil ? 4 : 5, capacity: 160)
        writer.cbor.text("did")
        writer.cbor.text(did)
        writer.seq()
        writer.time()
        writer.cbor.text("active")
        writer.cbor.bool(active)
        if let status {
            writer.cbor.text("status")
            writer.cbor.text(status)
        }
        return writer.body
    }

    private static func write(_ operation: RepositoryOperation, into cbor: inout CBORWriter) {
        cbor.map(count: operation.previous == nil ? 3 : 4)
        cbor.text("cid")
        cbor.link(orNull: operation.cid)
        cbor.text("path")
        cbor.text(operation.path)
        if let previous = operation.previous {
            cbor.text("prev")
            cbor.link(previous)
        }
        cbor.text("action")
        cbor.text(operation.action.rawValue)
    }

    /// A message under way, and where the two values belong.
    private struct Parts {
        var cbor: CBORWriter
        private var seqOffset = 0
        private var timeOffset = 0

        init(type: String, keys: Int, capacity: Int) {
            cbor = CBORWriter(capacity: capacity)
            cbor.map(count: 2)
            cbor.text("t")
            cbor.text(type)
            cbor.text("op")
            cbor.integer(1)
            cbor.map(count: keys)
        }

        mutating func seq() {
            cbor.text("seq")
            seqOffset = cbor.bytes.count
        }

        /// The head of a text of 27 bytes; the text itself follows later.
        mutating func time() {
            cbor.text("time")
            cbor.encoded([0x60 | 24, UInt8(Timestamp.byteCount)])
            timeOffset = cbor.bytes.count
        }

        var body: MessageBody { MessageBody(bytes: cbor.bytes, seqOffset: seqOffset, timeOffset: timeOffset) }
    }
}
