public import Events

/// A desired sink, what each worker says of it, and how far it is over all of them. Ages are in milliseconds.
public struct DiagnosedSink: Hashable, Sendable {
    /// What a worker says; of one that fell silent, what it said last.
    public struct Consumer: Hashable, Sendable {
        public var worker: String
        public var state: String
        public var breaker: String
        public var failures: Int64
        public var error: String?
        /// How long it has been in its state.
        public var sinceAgeMs: Int64
        public var heartbeatAgeMs: Int64

        public init(
            worker: String, state: String = "healthy", breaker: String = "closed", failures: Int64 = 0, error: String? = nil, sinceAgeMs: Int64 = 0,
            heartbeatAgeMs: Int64 = 0
        ) {
            self.worker = worker
            self.state = state
            self.breaker = breaker
            self.failures = failures
            self.error = error
            self.sinceAgeMs = sinceAgeMs
            self.heartbeatAgeMs = heartbeatAgeMs
        }
    }

    public var name: SinkName
    public var desired: RegisteredSink.State
    public var origin: RegisteredSink.Origin
    /// Since it was made, or changed last.
    public var changedAgeMs: Int64
    public var consumers: [Consumer]
    public var progress: SinkProgress

    public init(
        name: SinkName, desired: RegisteredSink.State = .running, origin: RegisteredSink.Origin = .api, changedAgeMs: Int64 = 0,
        consumers: [Consumer] = [], progress: SinkProgress = SinkProgress()
    ) {
        self.name = name
        self.desired = desired
        self.origin = origin
        self.changedAgeMs = changedAgeMs
        self.consumers = consumers
        self.progress = progress
    }
}
