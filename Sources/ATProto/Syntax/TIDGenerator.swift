public import Events

/// Gives TIDs that only grow, whatever the clock does.
public struct TIDGenerator: Sendable {
    public let clockID: Int
    private var last: Int64 = 0

    /// `clockID` is 0 to 1023.
    public init(clockID: Int) { self.clockID = clockID & 1023 }

    /// A TID for `now`, or one microsecond after the last where the clock has not moved on.
    public mutating func next(now: WallTime) -> TID {
        last = max(last + 1, now.microseconds)
        return TID(microseconds: last, clockID: clockID)
    }
}
