public import Events

/// How far a sink is, over all workers.
public struct SinkProgress: Hashable, Sendable {
    /// Runs with events that wait and are not halted.
    public var pendingRuns: Int64
    /// Events that wait in them, also those that the filter will let pass by.
    public var backlog: Int64
    /// Age of the oldest that waits, among the runs that were served longest ago; 0 where none waits.
    public var lagMs: Int64
    /// Of a run that failed: when it is tried again, how often it was, and why.
    public var retryAt: WallTime?
    public var attempts: Int32
    public var error: String?
    public var haltedRuns: Int64
    /// One of them, and why.
    public var haltedRun: String?
    public var haltedReason: String?
    /// Dead letters that nobody has settled.
    public var letters: Int64 = 0

    public init(
        pendingRuns: Int64 = 0, backlog: Int64 = 0, lagMs: Int64 = 0, retryAt: WallTime? = nil, attempts: Int32 = 0, error: String? = nil,
        haltedRuns: Int64 = 0, haltedRun: String? = nil, haltedReason: String? = nil
    ) {
        self.pendingRuns = pendingRuns
        self.backlog = backlog
        self.lagMs = lagMs
        self.retryAt = retryAt
        self.attempts = attempts
        self.error = error
        self.haltedRuns = haltedRuns
        self.haltedRun = haltedRun
        self.haltedReason = haltedReason
    }
}

/// What a worker says of a sink that it runs.
public struct SinkConsumerReport: Hashable, Sendable {
    public var sink: SinkName
    public var generation: Int64
    /// `starting`, `healthy`, `lagging`, `backing_off`, `halted`, `paused` or `cannot_run`.
    public var state: String
    public var since: WallTime
    /// `closed`, `open` or `half_open`.
    public var breaker: String
    /// Events, since this worker began the sink.
    public var delivered: Int64
    public var perSecond: Double
    public var failures: Int64
    public var error: String?
    public var errorAt: WallTime?
    /// When the breaker lets the next call through.
    public var retryAt: WallTime?

    public init(
        sink: SinkName, generation: Int64, state: String, since: WallTime, breaker: String = "closed", delivered: Int64 = 0, perSecond: Double = 0,
        failures: Int64 = 0, error: String? = nil, errorAt: WallTime? = nil, retryAt: WallTime? = nil
    ) {
        self.sink = sink
        self.generation = generation
        self.state = state
        self.since = since
        self.breaker = breaker
        self.delivered = delivered
        self.perSecond = perSecond
        self.failures = failures
        self.error = error
        self.errorAt = errorAt
        self.retryAt = retryAt
    }
}

/// A report as it stands in the ledger.
public struct SinkConsumer: Hashable, Sendable {
    public var worker: String
    public var report: SinkConsumerReport
    public var heartbeatAt: WallTime

    public init(worker: String, report: SinkConsumerReport, heartbeatAt: WallTime) {
        self.worker = worker
        self.report = report
        self.heartbeatAt = heartbeatAt
    }
}

/// Everything that is known of a sink.
public struct SinkView: Hashable, Sendable {
    public var sink: RegisteredSink
    public var progress: SinkProgress
    /// Those whose heartbeat is fresh, in order of worker.
    public var consumers: [SinkConsumer]

    public init(sink: RegisteredSink, progress: SinkProgress, consumers: [SinkConsumer]) {
        self.sink = sink
        self.progress = progress
        self.consumers = consumers
    }
}
