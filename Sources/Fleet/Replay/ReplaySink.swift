public import Events

/// Where a replay delivers to.
public protocol ReplaySink: Sendable {
    /// In order of seq; returns when they are with the sink.
    func deliver(_ events: [LogEvent]) async throws

    /// What was delivered before lasts: a checkpoint may be written.
    func settle() async throws
}
