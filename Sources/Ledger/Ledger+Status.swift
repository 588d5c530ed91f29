public import Events
internal import PostgresClient

/// The whole fleet as the ledger knows it: for `/status`, `/ready`, `weir status`.
public struct FleetStatus: Sendable {
    public struct Upstream: Sendable {
        public var name: UpstreamName
        public var owner: String?
        /// Until the lease ends; negative: it has ended.
        public var leaseMsLeft: Int64
        public var session: Int64?
        public var report: UpstreamReport?
        public var reportAgeMs: Int64?
        /// The committed watermark, as ``Ledger/resumePosition(_:)`` gives it; nil before the first session.
        public var watermark: Position?
        public var rewindPending: Bool
        public var declaredGaps: Int
    }
    public struct ShardStatus: Sendable {
        public var shard: Shard
        public var owner: String?
        public var leaseMsLeft: Int64
        public var haltedReason: String?
        public var offset: EntryID
        public var lastSeq: Int64
        public var lastCommitAgeMs: Int64?
        /// Next seq to publish to the outlet.
        public var nextSeq: Int64
        public var held: Int
        public var outboxError: String?
        /// The same of the shard's labels.
        public var labels = LogStatus()
    }
    /// Where another log of a shard stands than the firehose's.
    public struct LogStatus: Hashable, Sendable {
        public var offset: EntryID
        public var lastSeq: Int64
        public var lastCommitAgeMs: Int64?
        public var nextSeq: Int64
        public var held: Int
        public var outboxError: String?

        public init(
            offset: EntryID = .zero, lastSeq: Int64 = 0, lastCommitAgeMs: Int64? = nil, nextSeq: Int64 = 1, held: Int = 0, outboxError: String? = nil
        ) {
            self.offset = offset
            self.lastSeq = lastSeq
            self.lastCommitAgeMs = lastCommitAgeMs
            self.nextSeq = nextSeq
            self.held = held
            self.outboxError = outboxError
        }
    }
    public var upstreams: [Upstream]
    public var shards: [ShardStatus]
    public var workers: [String]
    /// Refused messages by reason, since the first migration.
    public var refused: [String: Int64]
    public var backfill = BackfillStatus()
}

extension Ledger {
    public func status() async throws(LedgerError) -> FleetStatus {
        try await mapped("status") {
            let results = try await pool.pipeline(
                [
                    PostgresStatement(RunSQL.statusUpstreams), PostgresStatement(RunSQL.statusShards), PostgresStatement(RunSQL.statusWorkers),
                    PostgresStatement(RunSQL.statusRefused),
                ] + BackfillStatus.statements)
            var refused: [String: Int64] = [:]
            for row in results[3] { refused[try row.value("reason")] = try row.value("count", as: Int64.self) }
            return FleetStatus(
                upstreams: try results[0].map(Self.upstream), shards: try results[1].map(Self.shard),
                workers: try results[2].map { try $0.value("id") }, refused: refused, backfill: try BackfillStatus(results[4...]))
        }
    }

    private static func upstream(_ row: PostgresRow) throws -> FleetStatus.Upstream {
        let kind: String = try row.value("kind")
        var report: UpstreamReport?
        if let state: String = try row.optional("state") {
            report = UpstreamReport(
                state: UpstreamReport.State(rawValue: state) ?? .stopped, reason: try row.value("reason"),
                position: try row.position("epoch", "seq"), events: try row.value("events"), bytes: try row.value("bytes"),
                lastMessageAt: try row.optionalTime("last_message_at"))
        }
        return FleetStatus.Upstream(
            name: UpstreamName(kind: UpstreamName.Kind(rawValue: kind) ?? .firehose, host: try row.value("host")), owner: try row.optional("owner"),
            leaseMsLeft: try row.optional("lease_ms_left") ?? 0, session: try row.optional("session"), report: report,
            reportAgeMs: try row.optional("report_age_ms"), watermark: try row.position("watermark_epoch", "watermark_seq"),
            rewindPending: try row.value("rewind_pending"), declaredGaps: Int(try row.value("gaps", as: Int64.self)))
    }

    private static func shard(_ row: PostgresRow) throws -> FleetStatus.ShardStatus {
        FleetStatus.ShardStatus(
            shard: Int(try row.value("shard", as: Int32.self)), owner: try row.optional("owner"),
            leaseMsLeft: try row.optional("lease_ms_left") ?? 0, haltedReason: try row.optional("halted_reason"),
            offset: try EntryID(row.value("entry_id", as: String.self)) ?? .zero, lastSeq: try row.value("last_seq"),
            lastCommitAgeMs: try row.optional("commit_age_ms"), nextSeq: try row.value("next_seq"),
            held: Int(try row.value("held", as: Int64.self)), outboxError: try row.optional("outbox_error"),
            labels: FleetStatus.LogStatus(
                offset: EntryID(try row.value("label_entry_id", as: String.self)) ?? .zero, lastSeq: try row.value("label_last_seq"),
                lastCommitAgeMs: try row.optional("label_commit_age_ms"), nextSeq: try row.value("label_next_seq"),
                held: Int(try row.value("label_held", as: Int64.self)), outboxError: try row.optional("label_outbox_error")))
    }
}
