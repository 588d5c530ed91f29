/// What becomes of a commit whose signature or chain does not hold.
public enum VerificationMode: String, Hashable, Sendable, CaseIterable {
    /// It is refused.
    case strict
    /// It is delivered and marked. What cannot be read is refused in this mode too.
    case lenient
}

/// What did not hold of a commit that a lenient fleet delivers.
public enum LenientMark: String, Hashable, Sendable, CaseIterable {
    case signature, chain
}
