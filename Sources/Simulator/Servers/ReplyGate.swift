import Synchronization

/// Where answers wait that hang: closed until it is opened once, for good.
final class ReplyGate: Sendable {
    private struct State {
        var isOpen = false
        var waiting: [AsyncStream<Never>.Continuation] = []
    }

    private let state = Mutex(State())

    /// A wait for the gate. The one who waits may end it early, at the end of its connection.
    func wait() -> (opening: AsyncStream<Never>, end: AsyncStream<Never>.Continuation) {
        let (opening, end) = AsyncStream<Never>.makeStream()
        let isOpen = state.withLock { state in
            if !state.isOpen { state.waiting.append(end) }
            return state.isOpen
        }
        if isOpen { end.finish() }
        return (opening, end)
    }

    func open() {
        let waiting = state.withLock { state in
            state.isOpen = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for end in waiting { end.finish() }
    }
}
