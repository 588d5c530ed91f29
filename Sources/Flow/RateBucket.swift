public import Events

/// A token bucket: so many requests a second on average, and a burst of some at once.
///
/// Kept as one moment, when the bucket is full again (the generic cell rate algorithm): it needs no timer, and no rounding adds up.
public struct RateBucket: Hashable, Sendable {
    public struct Limits: Hashable, Sendable {
        /// 1 to 1,000,000.
        public var perSecond: Int
        /// How many may come at once where none came for a while, at least 1.
        public var burst: Int

        public init(perSecond: Int, burst: Int) {
            self.perSecond = min(max(perSecond, 1), 1_000_000)
            self.burst = max(burst, 1)
        }
    }

    public let limits: Limits
    /// Of one request, in nanoseconds, rounded up: the rate is never above its limit.
    private let cost: Int64
    /// When the bucket is full again, in nanoseconds of the process' clock.
    private var fullAt = Int64.min

    public init(_ limits: Limits) {
        self.limits = limits
        cost = (1_000_000_000 + Int64(limits.perSecond) - 1) / Int64(limits.perSecond)
    }

    /// Takes one; or, where there is none, says how long to wait for it, and nothing is taken.
    public mutating func take(now: MonotonicTime) -> Duration? {
        let now = Self.nanoseconds(now)
        let from = max(fullAt, now)
        let ahead = from - now
        let (room, overflow) = cost.multipliedReportingOverflow(by: Int64(limits.burst - 1))
        if !overflow, ahead > room { return .nanoseconds(ahead - room) }
        fullAt = from + cost
        return nil
    }

    private static func nanoseconds(_ time: MonotonicTime) -> Int64 {
        let (seconds, attoseconds) = time.sinceStart.components
        return min(max(seconds, -4_000_000_000), 4_000_000_000) * 1_000_000_000 + attoseconds / 1_000_000_000
    }
}
