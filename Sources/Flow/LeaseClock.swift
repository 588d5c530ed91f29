public import Events

/// How long an owner may trust a lease: until the start of the call that took or renewed it, plus its time to live, less a margin.
///
/// By the owner's own monotonic clock, and from the call's start: when the server took it is not known, but it was not earlier. A process that was
/// stopped finds its trust gone when it wakes; should it act all the same, the fence in the ledger refuses it.
public struct LeaseClock: Hashable, Sendable {
    public let timeToLive: Duration
    /// For clocks that run at different speeds, and for the time between the check and what is done under it.
    public let margin: Duration
    /// Nil before the first success and after ``lost()``.
    public private(set) var trustedUntil: MonotonicTime?

    public init(timeToLive: Duration = .seconds(5), margin: Duration = .milliseconds(500)) {
        self.timeToLive = timeToLive
        self.margin = margin
    }

    /// The call that began at `start` succeeded.
    public mutating func renewed(callStartedAt start: MonotonicTime) {
        let until = start + (timeToLive - margin)
        trustedUntil = trustedUntil.map { max($0, until) } ?? until
    }

    /// The lease is not ours any more: a call said so.
    public mutating func lost() { trustedUntil = nil }

    public func isTrusted(at now: MonotonicTime) -> Bool { trustedUntil.map { now < $0 } ?? false }

    /// How long it still may be trusted; zero where it may not.
    public func remaining(at now: MonotonicTime) -> Duration { trustedUntil.map { max(.zero, $0 - now) } ?? .zero }
}
