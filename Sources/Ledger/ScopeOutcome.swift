/// What became of one repository that was named in a change of the scope. The raw values are shown.
public enum ScopeOutcome: String, Hashable, Sendable, CaseIterable {
    /// Wanted from now on, and a snapshot of it too.
    case added
    /// Had been named before: nothing changed.
    case alreadyWanted = "already_wanted"
    /// Was tracked, and is left out from now on.
    case removed
    /// Was left out before: nothing changed.
    case alreadyRemoved = "already_removed"
    /// A new snapshot of it is wanted.
    case requested
    /// Was not tracked. A removal is noted all the same: nothing takes it up from now on.
    case notTracked = "not_tracked"
}
