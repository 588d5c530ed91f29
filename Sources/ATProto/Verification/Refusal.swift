/// Why a message of an upstream is refused: a value to count by its reason and to keep with the frame, never an error of our own.
public struct Refusal: Error, Hashable, Sendable, CustomStringConvertible {
    /// Stable codes: they stand in metrics, in stored refusals and in the documentation.
    public enum Reason: String, Hashable, Sendable, CaseIterable {
        /// The frame is no canonical DAG-CBOR, or a field is missing or of another kind.
        case malformedMessage
        /// `blocks` is no CAR, or a node of the tree is none (canonical form, order, prefix, layer).
        case malformedBlocks
        /// The commit block is none of version 3.
        case malformedCommit
        /// A block's bytes, or the commit block, have not the address that the message gives.
        case cidMismatch
        /// The message is of another repository than the signed commit.
        case repoMismatch
        /// The message has another revision than the signed commit.
        case revMismatch
        /// The revision is not after the one before.
        case badRev
        /// The revision is more than five minutes ahead of the clock.
        case futureRev
        /// A path is not `collection/rkey`, or one path has two operations.
        case badPath
        /// An operation has a CID where it may not have one, or has none where it must.
        case badOperation
        /// The operations undone on the tree do not give the root before.
        case badInversion
        /// A record, or a node that the inversion needs, is not among the blocks.
        case missingBlock
        case tooManyOps
        /// Frame, blocks or a record are larger than the protocol allows.
        case tooLarge
        /// The message says itself that it is not complete: the repository has to be fetched.
        case tooBig
        case badSignature
    }

    public var reason: Reason
    public var message: String

    public init(_ reason: Reason, _ message: String) {
        self.reason = reason
        self.message = message
    }

    /// A decoder's error at a place whose general fault is `otherwise`.
    init(_ error: FormatError, otherwise reason: Reason) {
        switch error.code {
        case .tooLarge: self.init(.tooLarge, error.description)
        case .tooManyOps: self.init(.tooManyOps, error.description)
        case .missingBlock: self.init(.missingBlock, error.description)
        default: self.init(reason, error.description)
        }
    }

    public var description: String { "\(reason.rawValue): \(message)" }
}
