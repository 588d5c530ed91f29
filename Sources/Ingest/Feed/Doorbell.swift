import Synchronization

/// Wakes one waiting task; a ring that nobody waits for is kept, several are one.
final class Doorbell: Sendable {
    private struct State {
        var isRung = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    func ring() {
        let waiter = state.withLock { state in
            if state.waiter == nil { state.isRung = true }
            return state.waiter.take()
        }
        waiter?.resume()
    }

    /// Returns at the next ring (or at once after one that was kept), or when the task is cancelled. One task waits at a time; another returns at once.
    func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let waits = state.withLock { state in
                    // Looked at under the lock: a cancellation after it finds the waiter.
                    if state.isRung || state.waiter != nil || Task.isCancelled {
                        state.isRung = false
                        return false
                    }
                    state.waiter = continuation
                    return true
                }
                if !waits { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiter.take() }?.resume()
        }
    }
}
