public import Events

/// The state of a sink in one worker, as people and alerts see it, and since when it is so.
///
/// Judged anew whenever something is known; what counts most wins: paused, backing off, halted, starting, lagging, healthy.
public struct SinkHealth: Hashable, Sendable {
    public enum State: String, Hashable, Sendable, CaseIterable {
        /// Registered, and nothing is known of its target yet.
        case starting
        case healthy
        /// What it has not delivered is older than is good; it is on its way.
        case lagging
        /// Its target failed, and is left alone for a while: the breaker is open, or lets single probes through.
        case backingOff = "backing_off"
        /// Runs of it wait for an operator; the others go on.
        case halted
        /// By order of an operator.
        case paused
        /// The worker cannot run it: it never began. Said by who would have begun it, never by this machine.
        case cannotRun = "cannot_run"
    }

    /// What is known at a moment.
    public struct Observation: Hashable, Sendable {
        public var isPaused: Bool
        public var breaker: CircuitBreaker.State
        public var haltedRuns: Int
        /// Age of the oldest event that waits; zero where none does.
        public var lag: Duration
        /// Whether the target answered at least once, or nothing waited for it.
        public var isKnown: Bool

        public init(isPaused: Bool, breaker: CircuitBreaker.State, haltedRuns: Int, lag: Duration, isKnown: Bool) {
            self.isPaused = isPaused
            self.breaker = breaker
            self.haltedRuns = haltedRuns
            self.lag = lag
            self.isKnown = isKnown
        }
    }

    /// Above which lag it counts as lagging; it is healthy again below half of it, so that it does not waver.
    public let laggingAfter: Duration
    public private(set) var state = State.starting
    public private(set) var since: WallTime

    public init(laggingAfter: Duration = .seconds(5), at now: WallTime) {
        self.laggingAfter = laggingAfter
        since = now
    }

    /// Returns whether the state changed.
    @discardableResult
    public mutating func observe(_ seen: Observation, at now: WallTime) -> Bool {
        let new = judge(seen)
        guard new != state else { return false }
        state = new
        since = now
        return true
    }

    private func judge(_ seen: Observation) -> State {
        if seen.isPaused { return .paused }
        switch seen.breaker {
        case .open, .halfOpen: return .backingOff
        case .closed: break
        }
        if seen.haltedRuns > 0 { return .halted }
        if !seen.isKnown { return .starting }
        return seen.lag > (state == .lagging ? laggingAfter / 2 : laggingAfter) ? .lagging : .healthy
    }
}
