import NIOCore
import Synchronization

/// The bounded queue between a socket's event loop and the one task that reads it.
///
/// The event loop asks ``hasRoom`` before it parses on; the reader takes what there is. What was queued before the end is handed over first.
final class WebSocketMailbox: Sendable {
    private struct State {
        var messages = CircularBuffer<WebSocketMessage>()
        var bytes = 0
        var end: WebSocketError?
        var waiter: CheckedContinuation<Bool, Never>?
    }

    private let state = Mutex(State())
    private let messagesMax: Int
    private let bytesMax: Int
    private let place: String

    init(messagesMax: Int, bytesMax: Int, place: String) {
        self.messagesMax = messagesMax
        self.bytesMax = bytesMax
        self.place = place
    }

    var hasRoom: Bool { state.withLock { hasRoom($0) } }

    private func hasRoom(_ state: State) -> Bool { state.messages.count < messagesMax && state.bytes < bytesMax }

    var queued: (messages: Int, bytes: Int) { state.withLock { ($0.messages.count, $0.bytes) } }

    /// How much more may be put before the queue is full; both are above 0 exactly where ``hasRoom``.
    var room: (messages: Int, bytes: Int) { state.withLock { (messagesMax - $0.messages.count, bytesMax - $0.bytes) } }

    func put(_ message: WebSocketMessage) { put([message]) }

    /// Puts messages in their order.
    func put(_ messages: [WebSocketMessage]) {
        guard !messages.isEmpty else { return }
        let waiter = state.withLock { state in
            guard state.end == nil else { return CheckedContinuation<Bool, Never>?.none }
            for message in messages {
                state.messages.append(message)
                state.bytes += message.heldBytes
            }
            return state.waiter.take()
        }
        waiter?.resume(returning: true)
    }

    /// The first end counts: what comes after it is a consequence.
    func finish(_ error: WebSocketError) {
        let waiter = state.withLock { state in
            if state.end == nil { state.end = error }
            return state.waiter.take()
        }
        waiter?.resume(returning: true)
    }

    /// Up to so many messages and bytes (one message may stand above the bytes); empty where nothing waits.
    ///
    /// `madeRoom` says that the event loop found the queue full and has it with room now, both in one look: it must be told to go on.
    /// Throws the connection's end once everything before it was taken.
    func take(messagesMax: Int, bytesMax: Int) throws(WebSocketError) -> (messages: [WebSocketMessage], madeRoom: Bool) {
        let (taken, madeRoom, end) = state.withLock { state in
            let wasFull = !hasRoom(state)
            var taken: [WebSocketMessage] = []
            var bytes = 0
            while taken.count < messagesMax, let first = state.messages.first {
                if !taken.isEmpty, bytes + first.heldBytes > bytesMax { break }
                bytes += first.heldBytes
                taken.append(state.messages.removeFirst())
            }
            state.bytes -= bytes
            return (taken, wasFull && hasRoom(state), taken.isEmpty ? state.end : nil)
        }
        if let end { throw end }
        return (taken, madeRoom)
    }

    /// Returns once something waits, the end came or the task was cancelled. Only one task may wait.
    func wait() async throws(WebSocketError) {
        let isAlone = await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Bool, Never>) in
                let answer = state.withLock { state -> Bool? in
                    guard state.waiter == nil else { return false }
                    // Looked at under the lock: a cancellation after it finds the waiter.
                    if Task.isCancelled || state.end != nil || !state.messages.isEmpty { return true }
                    state.waiter = continuation
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            state.withLock { $0.waiter.take() }?.resume(returning: true)
        }
        guard isAlone else { throw WebSocketError(.concurrentReaders, "two tasks read one connection", place: place) }
    }
}
