public import Events

/// Something that was given up, and waits for a person.
public struct DeadLetter: Hashable, Sendable {
    public enum State: String, Hashable, Sendable, CaseIterable {
        /// Laid aside; its run went on.
        case dead
        /// Its run waits for it.
        case halted
        /// To be delivered again, by itself.
        case requeued
        /// Left undelivered for good.
        case skipped
    }

    public var id: Int64
    /// `sink`, or `repo_backfill` for a repository that could not be fetched.
    public var queue: String
    /// The sink's name, or the repository's DID.
    public var key: String
    /// Of an event in a sink.
    public var run: RunID?
    public var seq: Int64?
    public var error: String
    public var attempts: Int32
    public var state: State
    public var deadAt: WallTime
    public var changedAt: WallTime
    /// The event in the form `weir`; nil where it was not asked for.
    public var payload: String?

    public init(
        id: Int64, queue: String, key: String, run: RunID?, seq: Int64?, error: String, attempts: Int32, state: State, deadAt: WallTime,
        changedAt: WallTime, payload: String?
    ) {
        self.id = id
        self.queue = queue
        self.key = key
        self.run = run
        self.seq = seq
        self.error = error
        self.attempts = attempts
        self.state = state
        self.deadAt = deadAt
        self.changedAt = changedAt
        self.payload = payload
    }
}

/// An event that a sink refused alone.
public struct RefusedEvent: Hashable, Sendable {
    public var seq: Int64
    public var error: String
    public var attempts: Int32
    /// In the form `weir`.
    public var payload: String

    public init(seq: Int64, error: String, attempts: Int32, payload: String) {
        self.seq = seq
        self.error = error
        self.attempts = attempts
        self.payload = payload
    }
}
