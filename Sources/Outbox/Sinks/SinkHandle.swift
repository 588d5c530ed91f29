import Events
import Flow
import Ledger
import Synchronization

/// A sink that runs in this worker, as the service sees it: how it is woken and ended, and what it says of itself.
final class SinkHandle: Sendable {
    private struct State {
        var isEnding = false
        var hasRequeued = false
        var delivered: Int64 = 0
        var failures: Int64 = 0
        var error: String?
        var errorAt: WallTime?
        var isKnown = false
        var health: SinkHealth
        /// At the report before: for the rate.
        var reported: (delivered: Int64, at: MonotonicTime)
    }

    let sink: RegisteredSink
    let definition: SinkDefinition
    let gate: SinkGate
    let signal = WakeSignal()
    private let state: Mutex<State>

    init(sink: RegisteredSink, definition: SinkDefinition, laggingAfter: Duration, now: MonotonicTime, wall: WallTime) {
        self.sink = sink
        self.definition = definition
        gate = SinkGate(definition, at: now)
        state = Mutex(State(hasRequeued: sink.hasRequeued, health: SinkHealth(laggingAfter: laggingAfter, at: wall), reported: (0, now)))
    }

    var isPaused: Bool { sink.state == .paused }
    /// It takes nothing new; what is under way ends and is marked.
    var isEnding: Bool { state.withLock { $0.isEnding } }

    func wake() { signal.wake() }

    func end() {
        state.withLock { $0.isEnding = true }
        signal.finish()
    }

    /// Letters wait to be delivered again.
    func requeued() { state.withLock { $0.hasRequeued = true } }
    func takeRequeued() -> Bool {
        state.withLock { state in
            defer { state.hasRequeued = false }
            return state.hasRequeued
        }
    }

    func delivered(_ count: Int) {
        state.withLock { state in
            state.delivered += Int64(count)
            state.isKnown = true
        }
    }

    func failed(_ error: String, at now: WallTime) {
        state.withLock { state in
            state.failures += 1
            state.error = error.excerpt(scalars: 500)
            state.errorAt = now
        }
    }

    /// What is known now; moves the state of health.
    func report(_ progress: SinkProgress, now: MonotonicTime, wall: WallTime) -> SinkConsumerReport {
        let (breaker, wait) = (gate.breaker, gate.waitTime(at: now))
        // Where nothing waits, nothing can show that the target is well again: once its time is over, the breaker keeps nobody back.
        let isHeldBack = wait != nil || progress.pendingRuns > 0
        return state.withLock { state in
            state.health.observe(
                SinkHealth.Observation(
                    isPaused: isPaused, breaker: isHeldBack ? breaker : .closed(failures: 0), haltedRuns: Int(progress.haltedRuns),
                    lag: .milliseconds(progress.lagMs),
                    isKnown: state.isKnown || progress.pendingRuns == 0), at: wall)
            let seconds = (now - state.reported.at) / .seconds(1)
            let rate = seconds > 0 ? Double(state.delivered - state.reported.delivered) / seconds : 0
            state.reported = (state.delivered, now)
            return SinkConsumerReport(
                sink: sink.name, generation: sink.generation, state: state.health.state.rawValue, since: state.health.since,
                breaker: Self.name(breaker), delivered: state.delivered, perSecond: rate, failures: state.failures, error: state.error,
                errorAt: state.errorAt, retryAt: wait.map { WallTime(microseconds: wall.microseconds + $0.milliseconds * 1000) })
        }
    }

    private static func name(_ state: CircuitBreaker.State) -> String {
        switch state {
        case .closed: "closed"
        case .open: "open"
        case .halfOpen: "half_open"
        }
    }
}
