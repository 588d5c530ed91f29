import Synchronization

/// When commits were sent and when their last event arrived, while a measurement is on.
final class CommitWatch: Sendable {
    private struct Key: Hashable {
        var did: String
        var rev: String
    }

    private struct State {
        var isOn = false
        var sent: [Key: ContinuousClock.Instant] = [:]
        var milliseconds: [Key: Double] = [:]
    }

    private let state = Mutex(State())

    /// Forgets what was measured before.
    func begin() { state.withLock { $0 = State(isOn: true) } }
    func end() { state.withLock { $0.isOn = false } }

    func sent(_ did: String, _ rev: String) {
        let now = ContinuousClock.now
        state.withLock { state in
            if state.isOn { state.sent[Key(did: did, rev: rev)] = now }
        }
    }

    func arrived(_ did: String, _ rev: String) {
        let now = ContinuousClock.now
        state.withLock { state in
            let key = Key(did: did, rev: rev)
            if let sent = state.sent[key] { state.milliseconds[key] = (now - sent) / .milliseconds(1) }
        }
    }

    /// Commits that were sent and of which nothing arrived.
    var waiting: Int { state.withLock { $0.sent.count - $0.milliseconds.count } }
    var latencies: Percentiles { state.withLock { Percentiles(Array($0.milliseconds.values)) } }
}
