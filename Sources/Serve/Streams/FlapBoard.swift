import Events
import Flow
import Ledger
import Synchronization

/// Counts how often each client opens a stream, and keeps those that do it too often until they are noted.
final class FlapBoard: Sendable {
    private struct State {
        var watch: FlapWatch<String>
        var found: [String: FlappingClient] = [:]
    }

    private let state: Mutex<State>

    init(watch: FlapWatch<String>) { state = Mutex(State(watch: watch)) }

    func opened(client: String, topic: String, now: MonotonicTime) {
        state.withLock { state in
            let key = "\(client)\n\(topic)"
            guard let opens = state.watch.opened(key, now: now) else { return }
            state.found[key] = FlappingClient(client: client, topic: topic, opens: opens)
        }
    }

    /// What was found since the last call, at most as many as are watched.
    func take() -> [FlappingClient] {
        state.withLock { state in
            defer { state.found = [:] }
            return Array(state.found.values)
        }
    }
}
