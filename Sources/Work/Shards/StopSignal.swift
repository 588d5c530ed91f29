internal import Synchronization

/// Asks a pipeline to stop between two batches. Set once, never taken back.
final class StopSignal: Sendable {
    private let flag = Atomic(false)

    var isSet: Bool { flag.load(ordering: .acquiring) }

    func set() { flag.store(true, ordering: .releasing) }
}
