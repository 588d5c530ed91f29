import Events
import Flow
import Synchronization

/// Whether a sink's target may be called now: its breaker and its rate, shared by the runs that are delivered at the same time.
final class SinkGate: Sendable {
    private struct State {
        var breaker: CircuitBreaker
        var bucket: TokenBucket?
    }

    private let state: Mutex<State>

    init(_ definition: SinkDefinition, at now: MonotonicTime) {
        state = Mutex(
            State(
                breaker: CircuitBreaker(failureThreshold: definition.breaker.threshold, recoveryTime: definition.breaker.recovery),
                bucket: definition.rate.map { TokenBucket(perSecond: $0, at: now) }))
    }

    var breaker: CircuitBreaker.State { state.withLock { $0.breaker.state } }

    /// How long until the breaker lets a call through; nil where one may be made, or is being made.
    func waitTime(at now: MonotonicTime) -> Duration? { state.withLock { $0.breaker.waitTime(at: now) } }

    /// Runs that may be claimed: none while the breaker is open or the rate is used up, one for a probe.
    func claims(_ most: Int, at now: MonotonicTime) -> Int {
        state.withLock { state in
            if let wait = state.bucket?.wait(at: now), wait > .zero { return 0 }
            switch state.breaker.state {
            case .closed: return most
            case .open(let until): return now < until ? 0 : 1
            case .halfOpen: return 1
            }
        }
    }

    /// Nil: not now.
    func admit(_ events: Int, at now: MonotonicTime) -> CircuitBreaker.Permit? {
        state.withLock { state in
            if let wait = state.bucket?.wait(at: now), wait > .zero { return nil }
            guard let permit = state.breaker.admit(at: now) else { return nil }
            state.bucket?.take(events, at: now)
            return permit
        }
    }

    /// The target answered, whatever it said of the events.
    func answered(_ permit: CircuitBreaker.Permit) { state.withLock { $0.breaker.succeeded(permit) } }
    func failed(_ permit: CircuitBreaker.Permit, at now: MonotonicTime) { state.withLock { $0.breaker.failed(permit, at: now) } }
    func abandoned(_ permit: CircuitBreaker.Permit) { state.withLock { $0.breaker.abandoned(permit) } }
}
