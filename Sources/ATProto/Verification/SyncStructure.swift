public import Events

/// A `#sync` whose structure holds: its commit block is there, canonical, and of the repository and revision that the message names.
public struct SyncStructure: Sendable {
    public enum Outcome: Sendable {
        case sound(SyncStructure)
        case refused(Refusal)
    }

    public enum Verification: Sendable {
        case verified(VerifiedSync)
        case refused(Refusal)
    }

    public let message: SyncMessage
    public let commit: CID
    public let block: CommitBlock

    /// Reads and checks a frame.
    public static func check(_ frame: [UInt8], now: WallTime) -> Outcome {
        do throws(Refusal) {
            let message: SyncMessage
            do throws(FormatError) { message = try SyncMessage(frame: frame) } catch { throw Refusal(error, otherwise: .malformedMessage) }
            return .sound(try SyncStructure(message, now: now))
        } catch {
            return .refused(error)
        }
    }

    private init(_ message: SyncMessage, now: WallTime) throws(Refusal) {
        let index = try SignedRoot.index(message.storage, message.blocks)
        do throws(FormatError) { try index.verify() } catch { throw Refusal(error, otherwise: .cidMismatch) }
        let root = try SignedRoot.read(index, did: message.did, rev: message.rev, now: now)
        self.message = message
        commit = root.cid
        block = root.block
    }

    /// Checks the signature. In lenient mode a bad one is marked instead of refused.
    public func verify(_ key: VerificationKey, mode: VerificationMode = .strict) -> Verification {
        let isSigned = block.isSigned(by: key)
        guard isSigned || mode == .lenient else { return .refused(Refusal(.badSignature, "the commit is not signed by \(key.didKey)")) }
        return .verified(VerifiedSync(message: message, commit: commit, data: block.data, marks: isSigned ? [] : [.signature]))
    }
}

/// A `#sync` that may be acted on.
public struct VerifiedSync: Sendable {
    public let message: SyncMessage
    public var did: String { message.did }
    public var rev: String { message.rev }
    public let commit: CID
    /// The root of the tree.
    public let data: CID
    public let marks: [LenientMark]
}
