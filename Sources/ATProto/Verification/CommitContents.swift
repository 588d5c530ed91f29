public import Events

/// A `#commit` as it was decoded: the message, and every block of its archive walked once by a strict reader. Nothing is hashed yet, so no
/// block has been shown to be what its CID says, and nothing may be delivered: ``structure(now:mode:)`` is the next stage.
///
/// The walk reads what looks like a node of the tree as one, for the inversion to use; records are walked when they become JSON
/// (``CommitOperation/json(in:)``). Memory: about 60 bytes for each block and each entry of a node.
public struct CommitContents: Sendable {
    public let message: CommitMessage
    /// By the CIDs that the archive gives; their digests are not checked.
    let index: BlockIndex
    let nodes: MSTReadNodes
    /// Blocks that are no canonical DAG-CBOR, besides records. They are of no consequence where nothing refers to them; what does finds its own
    /// error there.
    public let brokenBlocks: Int

    /// Reads a frame. A refusal is `malformedMessage`, `malformedBlocks`, or of a limit.
    public init(frame: [UInt8]) throws(Refusal) {
        let message: CommitMessage
        do throws(FormatError) { message = try CommitMessage(frame: frame) } catch { throw Refusal(error, otherwise: .malformedMessage) }
        try self.init(message)
    }

    /// Walks the blocks of a message that was read already.
    public init(_ message: CommitMessage) throws(Refusal) {
        guard message.blocks.count <= Limits.commitBlocksBytes else { throw Refusal(.tooLarge, "the blocks have \(message.blocks.count) bytes") }
        guard message.ops.count <= Limits.commitOperations else { throw Refusal(.tooManyOps, "\(message.ops.count) operations") }
        if message.tooBig { throw Refusal(.tooBig, "the host sent the commit without its blocks") }
        if let since = message.since, since >= message.rev { throw Refusal(.badRev, "the revision is not after the one before") }
        let index = try SignedRoot.index(message.storage, message.blocks)
        self.message = message
        self.index = index
        (nodes, brokenBlocks) = Self.walk(index, message)
    }

    private static func walk(_ index: BlockIndex, _ message: CommitMessage) -> (MSTReadNodes, broken: Int) {
        var read = MSTReadNodes(blocks: MSTBlocks(bytes: message.blocks.count), nodes: Array(repeating: nil, count: index.count))
        var isDone = Array(repeating: false, count: index.count)
        for op in message.ops { if let cid = op.cid, let position = index.position(of: cid) { isDone[position] = true } }
        var broken = 0
        index.bytes.withUnsafeBytes { buffer in
            for position in 0..<index.count where !isDone[position] && index.cid(at: position).codec == .dagCBOR {
                let range = index.range(at: position)
                read.nodes[position] = node(buffer, range, &read.blocks)
                if read.nodes[position] == nil, !DAGCBOR.isCanonical(range, in: buffer) { broken += 1 }
            }
        }
        return (read, broken)
    }

    /// Nil where the block is no node, which a map of two fields makes likely.
    private static func node(_ buffer: UnsafeRawBufferPointer, _ range: Range<Int>, _ blocks: inout MSTBlocks) -> MSTBlock? {
        guard !range.isEmpty, buffer[range.lowerBound] == 0xa2 else { return nil }
        do throws(FormatError) { return try blocks.read(buffer, range) } catch { return nil }
    }

    /// The operations with the places of their records. Refused: a path that is none, two operations on one, CIDs that an operation may not
    /// have, a record that is not there or larger than allowed.
    public func operations() throws(Refusal) -> [CommitOperation] {
        var result: [CommitOperation] = []
        result.reserveCapacity(message.ops.count)
        for op in message.ops {
            guard let path = RepoPath(op.path) else { throw Refusal(.badPath, "a path that is not an NSID and a record key") }
            guard (op.cid == nil) == (op.action == .delete), op.action != .create || op.prev == nil else {
                throw Refusal(.badOperation, "a \(op.action.rawValue) of \(op.path) with the wrong CIDs")
            }
            var record: Range<Int>?
            if let cid = op.cid {
                guard let range = index.range(of: cid), cid.codec == .dagCBOR else {
                    throw Refusal(.missingBlock, "the record \(op.path) is not among the blocks")
                }
                guard range.count <= Limits.recordBytes else { throw Refusal(.tooLarge, "the record \(op.path) has \(range.count) bytes") }
                record = range
            }
            result.append(
                CommitOperation(
                    action: op.action, collection: path.collection, rkey: path.rkey, cid: op.cid, prevCID: op.prev, record: record))
        }
        guard message.ops.count < 2 || Set(message.ops.map(\.path)).count == message.ops.count else {
            throw Refusal(.badPath, "one path with two operations")
        }
        return result
    }

    /// The next stage: digests, the commit block, the operations, the inversion; all that can be checked without the account's key.
    public func structure(now: WallTime, mode: VerificationMode = .strict) -> CommitStructure.Outcome {
        do { return .sound(try CommitStructure(self, now: now, mode: mode)) } catch { return .refused(error) }
    }
}
