import ATProto
import Synchronization

@testable import Work

/// Keys of labelers as a test says them; whom it does not mention is pending.
final class TestLabelKeys: LabelKeys {
    private struct State {
        var answers: [String: LabelKeyAnswer] = [:]
        var refreshed: [String: LabelKeyAnswer] = [:]
        var asked = 0
        var refreshes = 0
    }

    private let state = Mutex(State())

    func say(_ answer: LabelKeyAnswer, of did: String) { state.withLock { $0.answers[did] = answer } }

    /// What is said once the document was fetched again.
    func sayRefreshed(_ answer: LabelKeyAnswer, of did: String) { state.withLock { $0.refreshed[did] = answer } }

    var refreshes: Int { state.withLock { $0.refreshes } }

    func labelKeys(of sources: Set<String>) async -> [String: LabelKeyAnswer] {
        state.withLock { state in state.answers.filter { sources.contains($0.key) } }
    }

    func refreshedLabelKeys(of sources: Set<String>) async -> [String: LabelKeyAnswer] {
        state.withLock { state in
            state.refreshes += 1
            state.answers.merge(state.refreshed) { _, new in new }
            return state.answers.filter { sources.contains($0.key) }
        }
    }
}
