public import Events

/// A sink as its row stands: desired, whether or not anybody runs it.
public struct RegisteredSink: Hashable, Sendable {
    public enum State: String, Hashable, Sendable, CaseIterable { case running, paused }
    public enum Origin: String, Hashable, Sendable, CaseIterable { case configuration, api }

    public var name: SinkName
    public var settings: SinkSettings
    public var state: State
    public var origin: Origin
    /// Grows with every change.
    public var generation: Int64
    public var createdAt: WallTime
    /// Whether letters wait to be delivered again.
    public var hasRequeued: Bool

    public init(
        name: SinkName, settings: SinkSettings, state: State, origin: Origin, generation: Int64, createdAt: WallTime, hasRequeued: Bool = false
    ) {
        self.name = name
        self.settings = settings
        self.state = state
        self.origin = origin
        self.generation = generation
        self.createdAt = createdAt
        self.hasRequeued = hasRequeued
    }
}

/// What became of an order to make or change a sink.
public enum SinkStored: Hashable, Sendable {
    case made
    case changed
    /// It is so already.
    case same
    /// There is one of this name, and it was not to be changed.
    case taken
}
