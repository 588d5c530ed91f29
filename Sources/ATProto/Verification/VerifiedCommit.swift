/// A commit that may be delivered: its structure and signature hold, or a lenient fleet took it and says with ``marks`` what did not.
public struct VerifiedCommit: Sendable {
    public let message: CommitMessage
    public var did: String { message.repo }
    public var rev: String { message.rev }
    /// The revision that this commit says it follows; to be compared with the stored one.
    public var since: String? { message.since }
    /// The address of the commit block.
    public var commit: CID { message.commit }
    /// The root of the tree after.
    public let data: CID
    /// The root of the tree before; to be compared with the stored one. Nil from a host before Sync 1.1.
    public var prevData: CID? { message.prevData }
    public let inversion: CommitStructure.Inversion
    public let operations: [CommitOperation]
    /// Empty where everything holds.
    public let marks: [LenientMark]

    init(_ structure: CommitStructure, marks: [LenientMark]) {
        message = structure.message
        data = structure.block.data
        inversion = structure.inversion
        operations = structure.operations
        self.marks = marks
    }

    /// What the ranges of ``operations`` point into: the frame.
    public var storage: [UInt8] { message.storage }
}
