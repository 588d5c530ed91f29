/// Which days of a log may go: those old enough that every sink is past, and those beyond the last bound, whoever still needs them.
public struct RetentionPlan: Hashable, Sendable {
    /// Whole days that are kept beside today; 0: all, for ever.
    public let keepDays: Int
    /// Days after which one goes though a sink still needs it; 0: never.
    public let keepDaysMax: Int

    /// A day as the plan sees it.
    public struct Day: Hashable, Sendable {
        /// Since 1970-01-01, in UTC.
        public var day: Int
        public var isNeeded: Bool

        public init(day: Int, isNeeded: Bool) {
            self.day = day
            self.isNeeded = isNeeded
        }
    }

    public enum Verdict: Hashable, Sendable {
        case keep
        case drop
        /// A sink still needs it: it is told of a gap.
        case dropAtBound
        /// It is old enough, and a sink still needs it: worth an alert before the bound is reached.
        case overdue
    }

    /// - Parameter keepDaysMax: taken as `keepDays` where it is below that.
    public init(keepDays: Int, keepDaysMax: Int) {
        self.keepDays = max(0, keepDays)
        self.keepDaysMax = keepDaysMax <= 0 ? 0 : max(keepDays, keepDaysMax)
    }

    public func verdict(_ day: Day, today: Int) -> Verdict {
        guard keepDays > 0, day.day < today - keepDays else { return .keep }
        guard day.isNeeded else { return .drop }
        return keepDaysMax > 0 && day.day < today - keepDaysMax ? .dropAtBound : .overdue
    }

    /// Days before this one are worth asking about; nil where all are kept.
    public func oldest(today: Int) -> Int? { keepDays > 0 ? today - keepDays : nil }
}
