public import Events

/// Why a run was not created, or took nothing.
public enum RunRefusal: Hashable, Sendable {
    /// There is no such run.
    case unknown
    /// It has ended, in this state.
    case ended(RunSummary.State)
    /// There is a run of this id already.
    case exists
    /// The idempotency key was used for another run, this one.
    case differs(RunID)
    /// Its last seq is this one, not the one that was expected.
    case conflict(lastSeq: Int64)
    /// The event at this place of the append has a key sequence that is not above the key's last one.
    case regressing(index: Int, last: Int64)
    /// More than a run takes: which bound.
    case tooLarge(String)
}
