public import Events

/// A `#commit` whose structure holds: all that can be checked without the account's key.
///
/// Checked: canonical form and limits; every block's digest; that repository, revision and CID of the message are those of the commit block
/// at the root of `blocks`; that the revision is after `since` and not from the future; paths; that each record is there; and that undoing
/// the operations on the tree gives ``CommitMessage/prevData``. Against what the consumer has stored (is `since` the last revision, is
/// `prevData` the last root) nothing is checked here: that takes state.
///
/// Source: the sync specification (1.1), commit validation.
public struct CommitStructure: Sendable {
    /// What undoing the operations has shown.
    public enum Inversion: Hashable, Sendable {
        /// It gives `prevData`: the operations are all of the difference between the two trees.
        case proven
        /// The message has no `prevData` (a host before Sync 1.1). The operations fit the tree and undone give this root, which nothing in
        /// the message confirms: that no operation was left out is not proven, unless the consumer knows the root before to be this one.
        case computed(CID)
        /// The message has no `prevData`, and either updates or deletes without the value before, or too few nodes to undo its operations.
        /// Proven is only that what was created or updated is in the tree with these values and what was deleted is not.
        case notPossible
        /// It failed, and a lenient check went on.
        case failed
    }

    public enum Outcome: Sendable {
        case sound(CommitStructure)
        case refused(Refusal)
    }

    public let message: CommitMessage
    public let block: CommitBlock
    public let operations: [CommitOperation]
    public let inversion: Inversion
    /// Empty in strict mode; `chain` where the inversion failed.
    public let marks: [LenientMark]

    /// Reads and checks a frame.
    public static func check(_ frame: [UInt8], now: WallTime, mode: VerificationMode = .strict) -> Outcome {
        do { return try CommitContents(frame: frame).structure(now: now, mode: mode) } catch { return .refused(error) }
    }

    /// Checks a message that was read already.
    public static func check(_ message: CommitMessage, now: WallTime, mode: VerificationMode = .strict) -> Outcome {
        do { return try CommitContents(message).structure(now: now, mode: mode) } catch { return .refused(error) }
    }

    init(_ contents: CommitContents, now: WallTime, mode: VerificationMode) throws(Refusal) {
        let message = contents.message
        do throws(FormatError) { try contents.index.verify() } catch { throw Refusal(error, otherwise: .cidMismatch) }
        let root = try SignedRoot.read(contents.index, did: message.repo, rev: message.rev, now: now)
        guard root.cid == message.commit else { throw Refusal(.cidMismatch, "the commit block is not the one that the message names") }
        let operations = try contents.operations()
        var inversion: Inversion
        var marks: [LenientMark] = []
        do {
            inversion = try Self.invert(contents, data: root.block.data)
        } catch {
            guard mode == .lenient else { throw error }
            inversion = .failed
            marks = [.chain]
        }
        self.message = message
        block = root.block
        self.operations = operations
        self.inversion = inversion
        self.marks = marks
    }

    private static func invert(_ contents: CommitContents, data: CID) throws(Refusal) -> Inversion {
        let message = contents.message
        let isInvertible = message.ops.allSatisfy { $0.action == .create || $0.prev != nil }
        guard isInvertible || message.prevData == nil else { throw Refusal(.badInversion, "an update or delete without the value before") }
        // Without operations nothing has to be undone, and no node has to be there.
        guard !message.ops.isEmpty else { return try compare(data, with: message.prevData) }
        let tree: PartialMST
        do { tree = try PartialMST(root: data, contents: contents) } catch { throw Refusal(error, otherwise: .malformedBlocks) }
        if isInvertible {
            let operations = message.ops.map { MSTOperation(key: $0.path, before: $0.prev, after: $0.cid) }
            switch undo(operations, on: tree) {
            case .success(let before): return try compare(before, with: message.prevData)
            case .failure(let error):
                // A host before Sync 1.1 sends the changed nodes only, which often do not suffice.
                guard message.prevData == nil, error.code == .missingBlock else { throw Refusal(error, otherwise: .badInversion) }
            }
        }
        do throws(FormatError) {
            for op in message.ops where try tree.value(of: op.path) != op.cid {
                throw FormatError(.mst, "\(op.path) is not in the tree as the operation says")
            }
            return .notPossible
        } catch {
            throw Refusal(error, otherwise: .badInversion)
        }
    }

    private static func undo(_ operations: [MSTOperation], on tree: consuming PartialMST) -> Result<CID, FormatError> {
        var tree = tree
        return Result { () throws(FormatError) in try tree.invert(operations) }
    }

    private static func compare(_ before: CID, with prevData: CID?) throws(Refusal) -> Inversion {
        guard let prevData else { return .computed(before) }
        guard before == prevData else { throw Refusal(.badInversion, "undoing the operations does not give prevData") }
        return .proven
    }

    /// Checks the signature and gives the verified commit. In lenient mode one with a bad signature is marked instead of refused.
    public func verify(_ key: VerificationKey, mode: VerificationMode = .strict) -> CommitVerifier.Outcome {
        let isSigned = block.isSigned(by: key)
        guard isSigned || mode == .lenient else { return .refused(Refusal(.badSignature, "the commit is not signed by \(key.didKey)")) }
        return .verified(VerifiedCommit(self, marks: isSigned ? marks : [.signature] + marks))
    }

    /// Gives the commit as it stands where no key could be had and the mode is lenient: marked, as if the signature were bad.
    public func unsigned() -> VerifiedCommit { VerifiedCommit(self, marks: [.signature] + marks) }
}
