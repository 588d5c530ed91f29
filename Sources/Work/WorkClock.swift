internal import Broker
internal import Events

/// Where the stages of this module take time from; a test passes its own.
struct WorkClock: Sendable {
    var monotonic: @Sendable () -> MonotonicTime
    var wall: @Sendable () -> WallTime

    /// The system's clocks.
    static let system = WorkClock(monotonic: { .current }, wall: { .current })
}
