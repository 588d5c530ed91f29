/// What happens at crash points. ``off`` costs one comparison with nil at each.
///
/// Does nothing by itself: the action is given by whoever arms it.
public struct FaultSeams: Sendable {
    @usableFromInline let action: (@Sendable (CrashPoint) -> Void)?

    public static let off = FaultSeams(action: nil)

    /// - Parameter action: called at each crash point, on the thread that reached it, which goes on when it returns.
    public init(action: (@Sendable (CrashPoint) -> Void)?) { self.action = action }

    @inlinable
    public func reached(_ point: CrashPoint) {
        if let action { action(point) }
    }
}
