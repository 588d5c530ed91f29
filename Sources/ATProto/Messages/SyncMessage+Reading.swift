extension SyncMessage {
    /// Reads a frame that holds a `#sync`; throws as ``StreamMessage/init(frame:)``, and `message` where it is another one.
    public init(frame: [UInt8]) throws(FormatError) {
        guard case .sync(let message) = try StreamMessage(frame: frame) else { throw FormatError(.message, "not a #sync") }
        self = message
    }

    /// Reads the body; `reader` stands at it.
    init(_ frame: [UInt8], _ reader: inout CBORReader) throws(FormatError) {
        var seq: Int64?
        var did: Range<Int>?
        var rev: Range<Int>?
        var time: Range<Int>?
        var blocks: Range<Int>?
        var order = CBORKeyOrder()
        for _ in 0..<(try reader.mapCount()) {
            let key = try reader.key(&order)
            if reader.equals(key, "did") {
                did = try reader.text()
            } else if reader.equals(key, "rev") {
                rev = try reader.text()
            } else if reader.equals(key, "seq") {
                seq = try reader.integer()
            } else if reader.equals(key, "time") {
                time = try reader.text()
            } else if reader.equals(key, "blocks") {
                blocks = try reader.byteString()
            } else {
                try reader.skip()
            }
        }
        guard reader.isAtEnd else { throw FormatError(.message, "bytes after the body", offset: reader.offset) }
        guard let seq, (1...Limits.sequence).contains(seq) else { throw FormatError(.message, "no seq of 1 to 2^53") }
        guard let did, Syntax.isDID(utf8: reader.buffer[did]) else { throw FormatError(.message, "no DID in did") }
        guard let rev, TID(utf8: reader.buffer[rev]) != nil else { throw FormatError(.message, "no TID in rev") }
        guard let time, let blocks else { throw FormatError(.message, "no time or no blocks") }
        guard blocks.count <= Limits.syncBlocksBytes else {
            throw FormatError(.tooLarge, "blocks of more than \(Limits.syncBlocksBytes) bytes", offset: blocks.lowerBound)
        }
        self.init(seq: seq, did: reader.string(did), rev: reader.string(rev), storage: frame, blocks: blocks, time: reader.string(time))
    }
}
