/// A `#commit` of `com.atproto.sync.subscribeRepos`.
///
/// One that was read keeps the frame and a range of it for the blocks: they are not copied.
public struct CommitMessage: Hashable, Sendable {
    /// 1 to 2^53, numbered by the host that sent it.
    public var seq: Int64
    /// The DID of the repository.
    public var repo: String
    /// The address of the commit block.
    public var commit: CID
    public var rev: String
    /// The revision before; nil at the first commit.
    public var since: String?
    /// The root of the tree before; nil from a host that does not know Sync 1.1.
    public var prevData: CID?
    public var ops: [RepoOperation]
    public var blobs: [CID]
    public var rebase: Bool
    /// From a host that does not know Sync 1.1: too much for one message, so neither blocks nor operations are complete.
    public var tooBig: Bool
    /// The host's own text, as it came.
    public var time: String
    /// What ``blocks`` is a range of: the frame, where the message was read.
    public let storage: [UInt8]
    /// The CAR slice.
    public let blocks: Range<Int>

    public init(
        seq: Int64, repo: String, commit: CID, rev: String, since: String?, prevData: CID?, ops: [RepoOperation], blocks: [UInt8], time: String,
        blobs: [CID] = [], rebase: Bool = false, tooBig: Bool = false
    ) {
        self.init(
            seq: seq, repo: repo, commit: commit, rev: rev, since: since, prevData: prevData, ops: ops, storage: blocks, blocks: 0..<blocks.count,
            time: time, blobs: blobs, rebase: rebase, tooBig: tooBig)
    }

    init(
        seq: Int64, repo: String, commit: CID, rev: String, since: String?, prevData: CID?, ops: [RepoOperation], storage: [UInt8],
        blocks: Range<Int>, time: String, blobs: [CID], rebase: Bool, tooBig: Bool
    ) {
        self.seq = seq
        self.repo = repo
        self.commit = commit
        self.rev = rev
        self.since = since
        self.prevData = prevData
        self.ops = ops
        self.blobs = blobs
        self.rebase = rebase
        self.tooBig = tooBig
        self.time = time
        self.storage = storage
        self.blocks = blocks
    }

    /// The message as a host sends it.
    public func frame() -> [UInt8] {
        var writer = CBORWriter(capacity: blocks.count + 512 + ops.count * 160)
        FrameHeader.write("#commit", into: &writer)
        writer.map(count: prevData == nil ? 11 : 12)
        writer.text("ops")
        writer.array(count: ops.count)
        for op in ops { Self.write(op, into: &writer) }
        writer.text("rev")
        writer.text(rev)
        writer.text("seq")
        writer.integer(seq)
        writer.text("repo")
        writer.text(repo)
        writer.text("time")
        writer.text(time)
        writer.text("blobs")
        writer.array(count: blobs.count)
        for blob in blobs { writer.link(blob) }
        writer.text("since")
        if let since { writer.text(since) } else { writer.null() }
        writer.text("blocks")
        writer.byteString(storage[blocks])
        writer.text("commit")
        writer.link(commit)
        writer.text("rebase")
        writer.bool(rebase)
        writer.text("tooBig")
        writer.bool(tooBig)
        if let prevData {
            writer.text("prevData")
            writer.link(prevData)
        }
        return writer.bytes
    }

    private static func write(_ op: RepoOperation, into writer: inout CBORWriter) {
        writer.map(count: op.prev == nil ? 3 : 4)
        writer.text("cid")
        writer.link(orNull: op.cid)
        writer.text("path")
        writer.text(op.path)
        if let prev = op.prev {
            writer.text("prev")
            writer.link(prev)
        }
        writer.text("action")
        writer.text(op.action.rawValue)
    }
}
