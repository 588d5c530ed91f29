public import Events

/// When to try again: exponential, capped, with jitter inside the cap, and starting over after a healthy while.
///
/// Full half jitter: the delay is between half of the exponential value and all of it, so it never exceeds the cap and never falls to nothing.
/// A server's `Retry-After` is honoured where it is longer, up to ``Limits/retryAfterMax``.
public struct RetryPolicy: Hashable, Sendable {
    public struct Limits: Hashable, Sendable {
        public var base: Duration
        public var cap: Duration
        /// How long things must have gone well before the next failure counts as a first one.
        public var healthyAfter: Duration
        /// No server may silence us for longer.
        public var retryAfterMax: Duration

        public init(
            base: Duration = .milliseconds(250), cap: Duration = .seconds(30), healthyAfter: Duration = .seconds(60),
            retryAfterMax: Duration = .seconds(900)
        ) {
            self.base = base
            self.cap = cap
            self.healthyAfter = healthyAfter
            self.retryAfterMax = retryAfterMax
        }
    }

    public let limits: Limits
    /// Failures since the last healthy while.
    public private(set) var failures = 0
    private var healthySince: MonotonicTime?

    public init(limits: Limits = Limits()) { self.limits = limits }

    /// Things go well since `now`: a connection stands, a call succeeded. Repeated calls keep the first moment.
    public mutating func succeeded(at now: MonotonicTime) { healthySince = healthySince ?? now }

    /// Takes a failure, and says how long to wait before the next attempt.
    public mutating func failed(
        at now: MonotonicTime, retryAfter: Duration? = nil, using generator: inout some RandomNumberGenerator
    ) -> Duration {
        if let since = healthySince, now - since >= limits.healthyAfter { failures = 0 }
        healthySince = nil
        defer { failures += 1 }
        return limits.delay(after: failures, retryAfter: retryAfter, using: &generator)
    }
}

extension RetryPolicy.Limits {
    /// How long to wait after a failure, where `earlier` ones came before it since the last healthy while.
    public func delay(after earlier: Int, retryAfter: Duration? = nil, using generator: inout some RandomNumberGenerator) -> Duration {
        let jittered = exponential(earlier) * Double.random(in: 0.5...1, using: &generator)
        guard let retryAfter else { return jittered }
        return max(jittered, min(retryAfter, retryAfterMax))
    }

    private func exponential(_ power: Int) -> Duration {
        var delay = base
        for _ in 0..<power {
            if delay >= cap { break }
            delay *= 2
        }
        return min(delay, cap)
    }
}
