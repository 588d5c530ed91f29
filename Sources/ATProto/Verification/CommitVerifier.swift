public import Events

/// Structure and signature of a `#commit` in one step, for callers that have the key at hand.
public enum CommitVerifier {
    public enum Outcome: Sendable {
        case verified(VerifiedCommit)
        case refused(Refusal)
    }

    public static func verify(_ frame: [UInt8], key: VerificationKey, now: WallTime, mode: VerificationMode = .strict) -> Outcome {
        finish(CommitStructure.check(frame, now: now, mode: mode), key, mode)
    }

    public static func verify(_ message: CommitMessage, key: VerificationKey, now: WallTime, mode: VerificationMode = .strict) -> Outcome {
        finish(CommitStructure.check(message, now: now, mode: mode), key, mode)
    }

    private static func finish(_ outcome: CommitStructure.Outcome, _ key: VerificationKey, _ mode: VerificationMode) -> Outcome {
        switch outcome {
        case .refused(let refusal): .refused(refusal)
        case .sound(let structure): structure.verify(key, mode: mode)
        }
    }
}
