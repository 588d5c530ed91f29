/// Where an upstream begins that was never read before.
public enum FeedStart: Hashable, Sendable, CustomStringConvertible {
    /// With what comes next.
    case live
    /// With the oldest message that the upstream keeps.
    case earliest
    /// After this number, 0 to 2^53-1.
    case after(Int64)

    /// Reads `live`, `earliest` or a number; nil for anything else.
    public init?(_ text: some StringProtocol) {
        switch text {
        case "live": self = .live
        case "earliest": self = .earliest
        default:
            guard let seq = Int64(text), (0..<1 << 53).contains(seq) else { return nil }
            self = .after(seq)
        }
    }

    public var description: String {
        switch self {
        case .live: "live"
        case .earliest: "earliest"
        case .after(let seq): "\(seq)"
        }
    }
}

/// What to do when an upstream says that our position lies in its future: it numbers anew, or is another one.
public enum FutureCursorPolicy: String, Hashable, Sendable, CaseIterable {
    /// Report it, keep the lease and wait for an operator.
    case stop
    /// Go on with what comes next, in a new epoch, behind a declared gap.
    case live
    /// The same with the oldest that the upstream keeps: what was read before and comes again must be known by more than its number, as labels are.
    case earliest
}
