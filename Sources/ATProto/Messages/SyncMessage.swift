/// A `#sync`: the repository is now at this commit, whatever it was before.
public struct SyncMessage: Hashable, Sendable {
    public var seq: Int64
    public var did: String
    public var rev: String
    /// The host's own text, as it came.
    public var time: String
    /// What ``blocks`` is a range of: the frame, where the message was read.
    public let storage: [UInt8]
    /// A CAR with the commit block only.
    public let blocks: Range<Int>

    public init(seq: Int64, did: String, rev: String, blocks: [UInt8], time: String) {
        self.init(seq: seq, did: did, rev: rev, storage: blocks, blocks: 0..<blocks.count, time: time)
    }

    init(seq: Int64, did: String, rev: String, storage: [UInt8], blocks: Range<Int>, time: String) {
        self.seq = seq
        self.did = did
        self.rev = rev
        self.time = time
        self.storage = storage
        self.blocks = blocks
    }

    /// The message as a host sends it.
    public func frame() -> [UInt8] {
        var writer = CBORWriter(capacity: blocks.count + 256)
        FrameHeader.write("#sync", into: &writer)
        writer.map(count: 5)
        writer.text("did")
        writer.text(did)
        writer.text("rev")
        writer.text(rev)
        writer.text("seq")
        writer.integer(seq)
        writer.text("time")
        writer.text(time)
        writer.text("blocks")
        writer.byteString(storage[blocks])
        return writer.bytes
    }
}
