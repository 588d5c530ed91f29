/// A named place between two durable steps, at which a test may end or stop the process.
///
/// Nothing happens at one unless a test armed it (``FaultSeams``), and then what happens is the arming test's choice, mostly `kill -9`.
public enum CrashPoint: String, Hashable, Sendable, CaseIterable {
    /// A batch is decided, nothing is written.
    case workBeforeCommit = "work.before-commit"
    /// The batch is in the log, Redis is neither trimmed nor told.
    case workAfterCommit = "work.after-commit"
}

/// Where crash points are armed. ``off`` costs one comparison with nil at each.
public struct FaultSeams: Sendable {
    private let action: (@Sendable (CrashPoint) -> Void)?

    public static let off = FaultSeams(action: nil)

    /// - Parameter action: called at each crash point on the thread that reached it.
    public init(action: (@Sendable (CrashPoint) -> Void)?) { self.action = action }

    public func reached(_ point: CrashPoint) { action?(point) }
}
