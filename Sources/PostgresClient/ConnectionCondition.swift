internal import Synchronization

/// How a connection stands after its last operation, readable from anywhere.
final class ConnectionCondition: Sendable {
    enum Value: UInt8 {
        case idle, inTransaction, broken
    }

    private let value = Atomic(Value.idle.rawValue)

    var current: Value {
        get { Value(rawValue: value.load(ordering: .acquiring)) ?? .broken }
        set { value.store(newValue.rawValue, ordering: .releasing) }
    }
}
