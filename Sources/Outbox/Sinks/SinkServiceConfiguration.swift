public import Events

/// How a worker runs its sinks. What each sink is stands in its definition.
public struct SinkServiceConfiguration: Sendable {
    /// Sinks of the configuration file, none among them: those that earlier ones had are removed. Nil: there is no file, and those of the ledger stay.
    public var configured: [SinkDefinition]?
    /// How often a sink looks for work without having been woken, jittered; 10 ms to 60 s.
    public var pollEvery: Duration = .milliseconds(200)
    /// How often the registry is looked at without having been told; 50 ms to 60 s.
    public var lookEvery: Duration = .seconds(1)
    /// How often runs and sinks are matched: those that were made at the same moment get their cursor then; 1 s to 1 h.
    public var matchEvery: Duration = .seconds(20)
    /// How often heartbeats are written; 50 ms to 5 s.
    public var reportEvery: Duration = .seconds(2)
    /// Least time to live of a claim; with a sink's time-out above it, that and a little more.
    public var leaseTTL: Duration = .seconds(5)
    /// Above which lag a sink counts as lagging.
    public var laggingAfter: Duration = .seconds(5)
    /// Events and bytes of bodies that are read of a run at once.
    public var readEvents = 2000
    public var readBytes = 8 << 20

    public init() {}
}
