public import Events

/// Keeps calls away from a peer that fails, and lets single probes find out when it is well again.
///
/// Closed: failures add up, a success takes one off; at the threshold it opens. Open: nothing is admitted until the recovery time has passed. Half-open:
/// one probe at a time; three successes close it, whatever the threshold; a failure opens it again and restarts the clock.
/// Every call is admitted first and reports with its permit: a result that belongs to an earlier state changes nothing.
/// Source: DELIVERY, "Circuit breaker".
public struct CircuitBreaker: Hashable, Sendable {
    public enum State: Hashable, Sendable {
        case closed(failures: Int)
        case open(until: MonotonicTime)
        case halfOpen(successes: Int)
    }

    /// Leave to make one call; to be given back by exactly one of `succeeded`, `failed` and `abandoned`.
    public struct Permit: Hashable, Sendable {
        fileprivate var period: Int
    }

    /// Successful probes that close the breaker.
    public static let successesToClose = 3

    public let failureThreshold: Int
    public let recoveryTime: Duration
    public private(set) var state = State.closed(failures: 0)
    private var isProbing = false
    /// Grows with every change between closed, open and half-open.
    private var period = 0

    public init(failureThreshold: Int = 5, recoveryTime: Duration = .seconds(30)) {
        self.failureThreshold = max(1, failureThreshold)
        self.recoveryTime = recoveryTime
    }

    /// Nil: do not call now.
    public mutating func admit(at now: MonotonicTime) -> Permit? {
        if case .open(let until) = state, now >= until { change(to: .halfOpen(successes: 0)) }
        switch state {
        case .closed: return Permit(period: period)
        case .open: return nil
        case .halfOpen:
            guard !isProbing else { return nil }
            isProbing = true
            return Permit(period: period)
        }
    }

    public mutating func succeeded(_ permit: Permit) {
        guard permit.period == period else { return }
        switch state {
        case .closed(let failures): state = .closed(failures: max(0, failures - 1))
        case .open: break
        case .halfOpen(let successes):
            isProbing = false
            if successes + 1 >= Self.successesToClose {
                change(to: .closed(failures: 0))
            } else {
                state = .halfOpen(successes: successes + 1)
            }
        }
    }

    public mutating func failed(_ permit: Permit, at now: MonotonicTime) {
        guard permit.period == period else { return }
        switch state {
        case .closed(let failures):
            if failures + 1 >= failureThreshold {
                change(to: .open(until: now + recoveryTime))
            } else {
                state = .closed(failures: failures + 1)
            }
        case .open: break
        case .halfOpen: change(to: .open(until: now + recoveryTime))
        }
    }

    /// The call ended without saying anything about the peer (it was cancelled): another may probe.
    public mutating func abandoned(_ permit: Permit) {
        guard permit.period == period else { return }
        isProbing = false
    }

    /// How long until a call may be admitted; nil where one may be now, or a probe is under way.
    public func waitTime(at now: MonotonicTime) -> Duration? {
        guard case .open(let until) = state, now < until else { return nil }
        return until - now
    }

    private mutating func change(to new: State) {
        state = new
        isProbing = false
        period += 1
    }
}
