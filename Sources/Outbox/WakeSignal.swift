/// Wakes one waiter: any number of wake-ups before it looks are one.
struct WakeSignal: Sendable {
    let wakeUps: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() {
        (wakeUps, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    func wake() { continuation.yield() }

    /// Ends the waiter's loop once it has taken what is pending.
    func finish() { continuation.finish() }
}
