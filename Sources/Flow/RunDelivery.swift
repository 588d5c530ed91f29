public import Events

/// How a run's delivery to one sink goes on after it failed: when to try again, with how many events, and what becomes of an event that is refused.
///
/// A target that refuses a batch says nothing of which event it means: the batch is halved until one event is refused alone. That one is offered
/// again, with growing pauses, up to its attempts; then the policy decides. A target that fails is tried for ever: it says nothing of the events.
/// Each delivery lets the batches grow again. Kept in memory: whoever takes a run over begins with whole batches.
public struct RunDelivery: Hashable, Sendable {
    public enum Failure: Hashable, Sendable {
        /// The target looked at the events and refuses them.
        case poison
        /// The target did not take them, and may take them later; it may say when.
        case transient(retryAfter: Duration?)
    }

    public enum Step: Hashable, Sendable {
        /// Offer at most ``batchMax`` events, after so long.
        case retry(after: Duration)
        /// Stop the run at the event that was refused alone.
        case halt
        /// Lay that event aside, and go on behind it.
        case layAside
    }

    public let policy: PoisonPolicy
    public let attemptsMax: Int
    public let limits: RetryPolicy.Limits
    /// Events that the next batch may have at most.
    public private(set) var batchMax = Int.max
    /// Failed offers of what stands at the cursor, since something was delivered.
    public private(set) var failures = 0
    /// Of those, refusals of one event alone.
    public private(set) var refusals = 0

    public init(policy: PoisonPolicy, attemptsMax: Int, limits: RetryPolicy.Limits) {
        self.policy = policy
        self.attemptsMax = max(1, attemptsMax)
        self.limits = limits
    }

    /// Nothing needs to be remembered.
    public var isFresh: Bool { failures == 0 && batchMax == Int.max }

    /// - Parameter count: events of the batch, or 1 for an event that was laid aside.
    public mutating func delivered(_ count: Int) {
        failures = 0
        refusals = 0
        if batchMax < Int.max { batchMax = batchMax > Int.max / 4 || batchMax >= 16_384 ? Int.max : max(batchMax, count) * 2 }
    }

    public mutating func failed(_ failure: Failure, of count: Int, using generator: inout some RandomNumberGenerator) -> Step {
        failures += 1
        switch failure {
        case .transient(let retryAfter):
            return .retry(after: limits.delay(after: failures - 1, retryAfter: retryAfter, using: &generator))
        case .poison where count > 1:
            batchMax = max(1, count / 2)
            return .retry(after: .zero)
        case .poison:
            batchMax = 1
            refusals += 1
            guard refusals >= attemptsMax else {
                return .retry(after: limits.delay(after: refusals - 1, using: &generator))
            }
            refusals = 0
            failures = 0
            return policy == .halt ? .halt : .layAside
        }
    }
}
