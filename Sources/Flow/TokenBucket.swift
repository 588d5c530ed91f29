public import Events

/// So many a second, with a burst of one second's worth; what comes at once beyond it waits, and later ones pay for it.
public struct TokenBucket: Hashable, Sendable {
    public let perSecond: Int
    /// Below zero: taken ahead.
    private var tokens: Double
    private var filledAt: MonotonicTime

    public init(perSecond: Int, at now: MonotonicTime) {
        self.perSecond = max(1, perSecond)
        tokens = Double(self.perSecond)
        filledAt = now
    }

    /// How long until something may be taken; zero: now.
    public mutating func wait(at now: MonotonicTime) -> Duration {
        fill(now)
        return tokens > 0 ? .zero : .milliseconds(Int64((1 - tokens) / Double(perSecond) * 1000) + 1)
    }

    public mutating func take(_ count: Int, at now: MonotonicTime) {
        fill(now)
        tokens -= Double(count)
    }

    private mutating func fill(_ now: MonotonicTime) {
        guard now > filledAt else { return }
        let seconds = (now - filledAt) / .seconds(1)
        tokens = min(Double(perSecond), tokens + seconds * Double(perSecond))
        filledAt = now
    }
}
