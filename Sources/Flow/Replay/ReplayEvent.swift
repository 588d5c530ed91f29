/// What can be replayed: one of the states that something had, numbered.
public protocol ReplayEvent: Equatable {
    /// A structured value, never a text that was joined of parts: parts may hold any separator. Texts in it are ``ExactText``s.
    associatedtype ID: Hashable & Comparable

    var id: ID { get }
    /// 0 to 2^63 − 1.
    var sequence: Int64 { get }

    /// Of two events of one id and sequence whose contents differ, whether this one stays: a strict total order over contents, so that what is kept
    /// does not hang on who came first.
    func outranks(_ other: Self) -> Bool
}

/// An event's identity: two with the same are one event. In order of sequence, then id.
public struct EventKey<ID: Hashable & Comparable>: Hashable, Comparable {
    public var id: ID
    public var sequence: Int64

    public init(id: ID, sequence: Int64) {
        self.id = id
        self.sequence = sequence
    }

    public static func < (a: Self, b: Self) -> Bool { (a.sequence, a.id) < (b.sequence, b.id) }
}

extension EventKey: Sendable where ID: Sendable {}

extension ReplayEvent {
    public var key: EventKey<ID> { EventKey(id: id, sequence: sequence) }
}
