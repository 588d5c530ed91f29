public import Broker
public import Events
public import Ledger

/// Everything that the doctor looks at, as it was at one moment.
public struct DoctorSnapshot: Sendable {
    /// Nil where the ledger did not answer; then ``ledgerError`` says why.
    public var fleet: FleetStatus?
    public var diagnosis: Diagnosis?
    public var ledgerError: LedgerError?
    public var redis: BrokerHealth?
    public var redisError: String?
    /// The run that was asked for.
    public var run: RunID?

    public init(
        fleet: FleetStatus? = nil, diagnosis: Diagnosis? = nil, ledgerError: LedgerError? = nil, redis: BrokerHealth? = nil,
        redisError: String? = nil, run: RunID? = nil
    ) {
        self.fleet = fleet
        self.diagnosis = diagnosis
        self.ledgerError = ledgerError
        self.redis = redis
        self.redisError = redisError
        self.run = run
    }
}

/// From where on something is worth a finding.
public struct DoctorLimits: Hashable, Sendable {
    /// A run that was started and has had no event for this long.
    public var runStalledAfter: Duration = .seconds(600)
    /// Events that wait for one sink of one run.
    public var outboxWaiting: Int64 = 100
    /// How long they may wait, measured from the last event that was published, or appended.
    public var outboxLagMs: Int64 = 60_000
    /// How old a worker's word about a sink may be.
    public var sinkHeartbeatMs: Int64 = 15_000
    /// How long a sink's target may be left alone before that is a warning, and before it is critical.
    public var sinkBackingOffMs: Int64 = 60_000
    public var sinkDownMs: Int64 = 600_000
    /// Attempts of one run at a sink whose breaker is closed.
    public var sinkAttempts: Int32 = 5
    public var lockWaitMs: Int64 = 5_000
    public var idleTransactionMs: Int64 = 10_000
    public var stalledAfterMs: Int64 = 30_000
    /// Of `maxmemory`, in percent: where ingesters pause.
    public var redisMemoryPercent = 85
    public var slotKeptBytes: Int64 = 10 << 30
    public var retentionLateMs: Int64 = 2 * 3_600_000
    public var flapOpens = 10

    public init() {}
}
