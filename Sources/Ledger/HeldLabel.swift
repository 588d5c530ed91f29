public import Events

/// A signed label whose source's key could not be had in time, kept with its bytes so that no stream offset waits for it.
///
/// Not a row of `held`: a message of several labels may wait for several keys, and what does not wait is delivered.
public struct HeldLabel: Hashable, Sendable {
    /// 0 before it is stored; in the order in which labels were held.
    public var id: Int64
    public var src: String
    /// The upstream that brought it, and where in it.
    public var host: String
    public var session: Int64
    public var position: Position
    public var place: Int
    /// The label as it came.
    public var label: [UInt8]
    public var heldSince: WallTime
    /// When to look at it again.
    public var dueAt: WallTime
    public var attempts: Int

    public var queue: HeldLabelQueue { HeldLabelQueue(src: src, host: host) }

    public init(
        id: Int64 = 0, src: String, host: String, session: Int64, position: Position, place: Int, label: [UInt8], heldSince: WallTime,
        dueAt: WallTime, attempts: Int = 0
    ) {
        self.id = id
        self.src = src
        self.host = host
        self.session = session
        self.position = position
        self.place = place
        self.label = label
        self.heldSince = heldSince
        self.dueAt = dueAt
        self.attempts = attempts
    }
}

/// What is held together: labels of one source that one upstream brought. They wait for one key, and none of them overtakes another.
public struct HeldLabelQueue: Hashable, Sendable {
    public var src: String
    public var host: String
    public init(src: String, host: String) {
        self.src = src
        self.host = host
    }
}
