public import Events

/// What an append of an application came to.
public struct RunAppended: Hashable, Sendable {
    /// Of every event of the append, in its order: a new one's, or what a repeated one was given the first time.
    public var seqs: [Int64]
    /// How many of them are new.
    public var appended: Int
    /// The run's last seq behind the append.
    public var lastSeq: Int64
    /// The server's time, that of the new events.
    public var loggedAt: WallTime
}

/// How a run of an application ended.
public struct RunEnding: Hashable, Sendable {
    public var state: RunSummary.State
    /// Of the terminal event.
    public var seq: Int64
    /// False where it had ended so before.
    public var isNew: Bool
}
