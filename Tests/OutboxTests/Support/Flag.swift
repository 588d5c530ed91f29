import Synchronization

/// Something that becomes so during a test.
final class Flag: Sendable {
    private let value = Mutex(false)

    var isSet: Bool { value.withLock { $0 } }

    func set(_ new: Bool = true) { value.withLock { $0 = new } }
}
