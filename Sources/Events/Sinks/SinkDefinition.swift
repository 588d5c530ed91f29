/// What a sink is: its target, which runs and events go there, in which form, and how it is treated when it fails.
///
/// Read from ``SinkSettings``, which are kept; everything is checked here, for the configuration file, the API and the ledger alike.
public struct SinkDefinition: Hashable, Sendable {
    public enum Target: Hashable, Sendable {
        /// A relative path lies below the worker's folder for sinks.
        case file(path: String)
        case stdout
        /// `url` nil: Weir's own Redis. `length`: about so many entries are kept.
        case redis(url: String?, stream: String, length: Int)
        case webhook(WebhookTarget)
        /// `url` nil: Weir's own Postgres. `table`: `name` or `schema.name`.
        case postgres(url: String?, table: TableName, mode: TableMode)
    }

    /// Which runs are delivered: both must be so.
    public struct Runs: Hashable, Sendable {
        /// Empty: any.
        public var kinds: [String]
        /// What an id begins with; empty: any.
        public var prefix: String
    }

    public struct Batch: Hashable, Sendable {
        public var events: Int
        /// Of the events as they are written; one that is larger goes alone.
        public var bytes: Int
    }

    public struct Breaker: Hashable, Sendable {
        public var threshold: Int
        public var recovery: Duration
    }

    public let name: SinkName
    public let kind: SinkKind
    public let settings: SinkSettings
    public let target: Target
    public let runs: Runs
    public let filter: EventFilter
    public let format: EventFormat
    public let start: SinkStart
    public let policy: PoisonPolicy
    /// How often a refused event is offered before the policy decides.
    public let attempts: Int
    public let batch: Batch
    /// Runs that one worker delivers at the same time.
    public let concurrency: Int
    /// Events a second that one worker delivers; nil: as many as it can.
    public let rate: Int?
    /// For one batch.
    public let timeout: Duration
    public let breaker: Breaker
    /// The longest pause between two attempts.
    public let retryCap: Duration

    public init(name: SinkName, settings: SinkSettings) throws(SinkProblem) {
        var reader = SinkSettingsReader(settings)
        guard let kind: SinkKind = try reader.choice("kind") else {
            throw SinkProblem("kind", allowed: "it is needed: " + SinkKind.allCases.map(\.rawValue).joined(separator: ", "))
        }
        self.name = name
        self.kind = kind
        self.settings = settings
        runs = try Self.runs(&reader)
        filter = try Self.filter(&reader)
        format = try Self.format(&reader, kind)
        let starts = "now, earliest, or a seq from 1 on"
        let startText = try reader.text("start", allowed: starts) ?? "now"
        guard let start = SinkStart(startText) else { throw SinkProblem("start", given: startText, allowed: starts) }
        self.start = start
        policy = try reader.choice("policy") ?? .halt
        attempts = try reader.integer("attempts", 1...1000) ?? 5
        batch = Batch(
            events: try reader.integer("batch.events", 1...10_000) ?? kind.batchEvents,
            bytes: try reader.integer("batch.bytes", 1024...(64 << 20)) ?? 1 << 20)
        concurrency = try reader.integer("concurrency", 1...64) ?? 8
        rate = try reader.integer("rate", 1...10_000_000)
        timeout = try reader.duration("timeout", .milliseconds(10) ... .seconds(300)) ?? .seconds(10)
        breaker = Breaker(
            threshold: try reader.integer("breaker.failures", 1...1000) ?? 5,
            recovery: try reader.duration("breaker.recovery", .milliseconds(10) ... .seconds(3600)) ?? .seconds(10))
        retryCap = try reader.duration("retry.cap", .milliseconds(10) ... .seconds(3600)) ?? .seconds(30)
        target = try Self.target(kind, &reader)
        try reader.end(of: kind)
    }

    /// Whether the event is one that this sink takes: by its filter, and by what its form has a word for.
    public func wants(_ event: LogEvent) -> Bool { format.includes(event.kind) && filter.matches(event) }
}
