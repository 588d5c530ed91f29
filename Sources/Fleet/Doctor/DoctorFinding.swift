import Events

/// Something that is not as it should be: what causes it, what shows it, and what is safe to do next.
public struct DoctorFinding: Hashable, Sendable {
    public enum Severity: String, Hashable, Sendable, CaseIterable, Comparable {
        /// Worth knowing; nothing is to be done now.
        case note
        case warning
        case critical

        public static func < (a: Self, b: Self) -> Bool { a.rank < b.rank }
        private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
    }

    /// Stable: what a script compares.
    public enum Code: String, Hashable, Sendable, CaseIterable {
        case ledgerUnavailable = "ledger_unavailable"
        case notMigrated = "not_migrated"
        case redisUnavailable = "redis_unavailable"
        case redisMemory = "redis_memory"
        case redisUnbounded = "redis_unbounded"
        case redisEvicts = "redis_evicts"
        case redisVersion = "redis_version"
        case redisNotDurable = "redis_not_durable"
        case noWorkers = "no_workers"
        case shardUnowned = "shard_unowned"
        case shardHalted = "shard_halted"
        case shardStalled = "shard_stalled"
        case upstreamUnowned = "upstream_unowned"
        case upstreamDown = "upstream_down"
        case upstreamSilent = "upstream_silent"
        case rewindPending = "rewind_pending"
        case declaredGaps = "declared_gaps"
        case outboxHalted = "outbox_halted"
        case outboxFailing = "outbox_failing"
        case outboxLag = "outbox_lag"
        case publisherStuck = "publisher_stuck"
        case sinkHalted = "sink_halted"
        case sinkBackingOff = "sink_backing_off"
        case sinkFailing = "sink_failing"
        case sinkLagging = "sink_lagging"
        case sinkPaused = "sink_paused"
        case sinkCannotRun = "sink_cannot_run"
        case sinkUnowned = "sink_unowned"
        case sinkSilent = "sink_silent"
        case deadLetters = "dead_letters"
        case runStalled = "run_stalled"
        case runNeverStarted = "run_never_started"
        case runNotFound = "run_not_found"
        case runHoles = "run_holes"
        case runTail = "run_tail"
        case runBeginningGone = "run_beginning_gone"
        case cursorAhead = "cursor_ahead"
        case outletForeign = "outlet_foreign"
        case lockWait = "lock_wait"
        case idleTransaction = "idle_transaction"
        case indexMissing = "index_missing"
        case indexInvalid = "index_invalid"
        case partitionMissing = "partition_missing"
        case defaultPartition = "default_partition"
        case retentionLate = "retention_late"
        case slotInactive = "slot_inactive"
        case slotLosingLog = "slot_losing_log"
        case clientFlaps = "client_flaps"
    }

    public var code: Code
    public var severity: Severity
    /// `run firehose/3`, `shard 3`, `redis`.
    public var entity: String
    public var cause: String
    /// What was seen, by name.
    public var evidence: [String: String]
    /// A command, or a sentence; safe as it stands.
    public var next: String

    public init(_ code: Code, _ severity: Severity, _ entity: String, cause: String, evidence: [String: String] = [:], next: String) {
        self.code = code
        self.severity = severity
        self.entity = entity
        self.cause = cause
        self.evidence = evidence
        self.next = next
    }
}
