import Events
import Ledger
import Synchronization

/// The sinks that run in this worker, for those who wake, end and report them.
final class SinkTeam: Sendable {
    private struct State {
        var handles: [SinkName: SinkHandle] = [:]
        var metrics: [SinkName: SinkMetrics] = [:]
        var ended: [SinkName] = []
        var stranded: [SinkName: StrandedSink] = [:]
        var isEnding = false
    }

    /// Wakes the supervisor.
    let look = WakeSignal()
    private let state = Mutex(State())

    var all: [SinkHandle] { state.withLock { $0.handles.values.sorted { $0.sink.name < $1.sink.name } } }
    var isEnding: Bool { state.withLock { $0.isEnding } }

    subscript(_ name: SinkName) -> SinkHandle? { state.withLock { $0.handles[name] } }
    func metrics(of name: SinkName) -> SinkMetrics? { state.withLock { $0.metrics[name] } }

    func add(_ handle: SinkHandle, _ metrics: SinkMetrics) {
        state.withLock { state in
            state.handles[handle.sink.name] = handle
            state.metrics[handle.sink.name] = metrics
            state.stranded.removeValue(forKey: handle.sink.name)?.metrics.end()
        }
    }

    /// Sinks that are desired and that this worker cannot run, in order of name.
    var stranded: [StrandedSink] { state.withLock { $0.stranded.values.sorted { $0.sink.name < $1.sink.name } } }

    /// A sink cannot be run; since when is kept while its reason is the same.
    func strand(_ sink: RegisteredSink, _ problem: String, at now: WallTime, metrics: () -> SinkMetrics) {
        state.withLock { state in
            let known = state.stranded[sink.name]
            state.stranded[sink.name] = StrandedSink(
                sink: sink, problem: problem, since: known?.problem == problem ? known?.since ?? now : now, metrics: known?.metrics ?? metrics())
        }
    }

    /// What is desired no more is not said to be stranded.
    func keepStranded(_ names: Set<SinkName>) {
        let gone = state.withLock { state in
            let gone = state.stranded.values.filter { !names.contains($0.sink.name) }
            for sink in gone { state.stranded[sink.sink.name] = nil }
            return gone
        }
        for sink in gone { sink.metrics.end() }
    }

    /// A runner has ended; the supervisor looks again.
    func ended(_ handle: SinkHandle) {
        let metrics = state.withLock { state in
            state.handles[handle.sink.name] = nil
            state.ended.append(handle.sink.name)
            return state.metrics.removeValue(forKey: handle.sink.name)
        }
        metrics?.end()
        look.wake()
    }

    func takeEnded() -> [SinkName] {
        state.withLock { state in
            defer { state.ended = [] }
            return state.ended
        }
    }

    func wakeAll() { for handle in all { handle.wake() } }

    func endAll() {
        state.withLock { $0.isEnding = true }
        for handle in all { handle.end() }
        look.wake()
    }
}
