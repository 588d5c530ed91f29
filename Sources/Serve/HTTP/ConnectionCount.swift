import Synchronization

/// How many connections a server has, over all its event loops.
final class ConnectionCount: Sendable {
    private let open = Atomic<Int>(0)
    let limit: Int

    init(limit: Int) { self.limit = limit }

    /// Counts one more; false where it is one too many (it is counted all the same, until ``leave()``).
    func enter() -> Bool { open.wrappingAdd(1, ordering: .relaxed).newValue <= limit }

    func leave() { open.wrappingSubtract(1, ordering: .relaxed) }

    var now: Int { open.load(ordering: .relaxed) }
}
