import Broker
import DequeModule
import Events
import Metrics
import Synchronization

/// Requests that change one run, kept waiting here: in Postgres they would wait for one another at the run's row, each with a connection and a place among
/// the requests that are answered at the same time, until no other run got one.
///
/// Those of a run begin in the order in which they came, a bounded number of them at a time: one has the row, the next is there when it is free. Those of
/// all runs together have a bound of their own, below what the process has of connections: however many rows others hold, requests that only read are
/// answered. Above half of that bound a run has one change under way, so that it takes as many held rows as there are places to keep the other runs waiting.
final class RunLanes: Sendable {
    struct Limits: Hashable, Sendable {
        /// Changes of one run under way at the same time.
        var atOnce: Int
        /// Of all runs: what the queue does at the same time.
        var atOnceOfAll: Int
        /// Changes of one run that wait, beyond those; one more is refused.
        var waiting: Int
        /// One that has waited for so long is refused when its turn comes.
        var patience: Duration
    }

    private struct Waiting {
        var job: JobQueue.Job
        var refuse: @Sendable () -> Void
        var since: MonotonicTime
    }

    private struct Lane {
        var running = 0
        var waiting: Deque<Waiting> = []
    }

    private struct State {
        var lanes: [RunID: Lane] = [:]
        /// Of all lanes.
        var running = 0
        var waiting = 0
    }

    private enum Place { case first, behind, none }

    private let queue: JobQueue
    private let limits: Limits
    private let gauge: Gauge
    private let state = Mutex(State())

    init(queue: JobQueue, limits: Limits, factory: any MetricsFactory) {
        self.queue = queue
        self.limits = limits
        gauge = Gauge(label: "weir_run_changes_waiting", dimensions: [], factory: factory)
    }

    /// Changes under way or in the queue, of all runs.
    var running: Int { state.withLock { $0.running } }

    /// Changes that wait, of all runs.
    var waiting: Int { state.withLock { $0.waiting } }

    /// Takes a change of a run; it is done, or `refuse` is called, once.
    func submit(_ run: RunID, now: MonotonicTime = .current, _ job: @escaping JobQueue.Job, refuse: @escaping @Sendable () -> Void) {
        let change = Waiting(job: job, refuse: refuse, since: now)
        switch enter(run, change) {
        case .first: begin(run, change, now: now)
        case .behind: gauge.record(waiting)
        case .none: refuse()
        }
    }

    private func enter(_ run: RunID, _ change: Waiting) -> Place {
        state.withLock { state in
            var lane = state.lanes[run] ?? Lane()
            defer { state.lanes[run] = lane }
            if lane.running == 0 || lane.running < limits.atOnce && state.running < limits.atOnceOfAll / 2 {
                lane.running += 1
                state.running += 1
                return .first
            }
            guard lane.waiting.count < limits.waiting else { return .none }
            lane.waiting.append(change)
            state.waiting += 1
            return .behind
        }
    }

    /// Does a change whose turn it is; where it cannot be done, the next one, and so on.
    private func begin(_ run: RunID, _ first: Waiting, now: MonotonicTime) {
        var next: Waiting? = first
        while let change = next {
            let isTaken =
                !isLate(change, now)
                && queue.submit { [self] in
                    // It waited in the queue, too, where others have all places.
                    if isLate(change, .current) { change.refuse() } else { await change.job() }
                    if let next = leave(run) { begin(run, next, now: .current) }
                }
            if isTaken { return }
            change.refuse()
            next = leave(run)
        }
    }

    private func isLate(_ change: Waiting, _ now: MonotonicTime) -> Bool { now - change.since > limits.patience }

    /// The place of one that is done goes to the one that has waited longest, which is returned.
    private func leave(_ run: RunID) -> Waiting? {
        let (next, waiting): (Waiting?, Int) = state.withLock { state in
            guard var lane = state.lanes[run] else { return (nil, state.waiting) }
            if let next = lane.waiting.popFirst() {
                state.waiting -= 1
                state.lanes[run] = lane
                return (next, state.waiting)
            }
            lane.running -= 1
            state.running -= 1
            state.lanes[run] = lane.running == 0 ? nil : lane
            return (nil, state.waiting)
        }
        if next != nil { gauge.record(waiting) }
        return next
    }
}
