internal import Synchronization

/// Tells the connection's thread, which may be asleep in `poll(2)`, that the task whose statement it runs was cancelled.
final class CancelSignal: Sendable {
    private let flag = Atomic(false)
    private let pipe: WakePipe

    init(waking pipe: WakePipe) { self.pipe = pipe }

    var isSet: Bool { flag.load(ordering: .acquiring) }

    func set() {
        flag.store(true, ordering: .releasing)
        pipe.wake()
    }
}
