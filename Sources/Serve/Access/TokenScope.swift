/// What a token allows. None includes another.
public enum TokenScope: String, Hashable, Sendable, CaseIterable {
    /// Reads, streams.
    case read
    /// Creates runs, appends to them, ends them.
    case append
    /// Changes what Weir does: which repositories are wanted, and what is configured.
    case admin
}
