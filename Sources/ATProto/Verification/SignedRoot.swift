internal import Events

/// The commit block at the root of a message's blocks, compared with what the message says of it.
enum SignedRoot {
    /// The block, and the address that the archive gives it.
    static func block(_ index: BlockIndex) throws(Refusal) -> (cid: CID, block: CommitBlock) {
        guard let cid = index.roots.first, let range = index.range(of: cid) else {
            throw Refusal(.missingBlock, "the commit block is not among the blocks")
        }
        do { return (cid, try CommitBlock(index.bytes, range: range)) } catch { throw Refusal(error, otherwise: .malformedCommit) }
    }

    static func read(
        _ index: BlockIndex, did: String, rev: String, now: WallTime
    ) throws(Refusal) -> (cid: CID, block: CommitBlock) {
        let (cid, block) = try block(index)
        guard block.did == did else { throw Refusal(.repoMismatch, "the signed commit is of another repository") }
        guard block.rev == rev, let tid = TID(rev) else { throw Refusal(.revMismatch, "the signed commit has another revision") }
        guard tid.time.microseconds <= now.microseconds + Limits.revAheadMicroseconds else {
            throw Refusal(.futureRev, "the revision is \((tid.time.microseconds - now.microseconds) / 1_000_000) s ahead")
        }
        return (cid, block)
    }

    /// The archive's blocks, their digests not checked.
    static func index(_ storage: [UInt8], _ blocks: Range<Int>) throws(Refusal) -> BlockIndex {
        do {
            return try BlockIndex(car: storage, range: blocks, verifying: false)
        } catch {
            // A CID that is none is told apart from an archive that cannot be read.
            throw Refusal(error, otherwise: error.code == .cid ? .cidMismatch : .malformedBlocks)
        }
    }
}
