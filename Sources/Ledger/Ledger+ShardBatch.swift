public import Events
internal import PostgresClient

/// Where a worker stands with one session of one upstream in its shard (`Flow.SessionTracker` decides, the ledger keeps).
public struct SessionProgress: Hashable, Sendable {
    public var upstream: UpstreamName
    public var session: Int64
    /// The n that must come next.
    public var expectedN: Int64
    /// A hole was found: nothing more of this session is applied.
    public var broken: Bool
    public init(upstream: UpstreamName, session: Int64, expectedN: Int64, broken: Bool = false) {
        self.upstream = upstream
        self.session = session
        self.expectedN = expectedN
        self.broken = broken
    }
}

/// A repository as the log stands: what the next commit of that DID must follow.
public struct RepositoryState: Hashable, Sendable {
    /// As `Flow.RepositoryChain.Status`, which decides what each means.
    public enum Status: String, Hashable, Sendable, CaseIterable {
        case active, desynchronized, inactive, deleted, pending, backfilling, resyncing, removed
    }
    public var did: String
    /// Empty until a commit or sync was seen.
    public var rev: String
    /// The MST root of that revision, binary CID; empty where unknown.
    public var data: [UInt8]
    public var status: Status
    /// As the account event said (`takendown` …), or why it is desynchronized; else empty.
    public var reason: String
    /// Times of the last identity and account events that were taken: older or equal ones are repeats.
    public var identityTime: WallTime?
    public var accountTime: WallTime?
    public init(
        did: String, rev: String = "", data: [UInt8] = [], status: Status = .active, reason: String = "", identityTime: WallTime? = nil,
        accountTime: WallTime? = nil
    ) {
        self.did = did
        self.rev = rev
        self.data = data
        self.status = status
        self.reason = reason
        self.identityTime = identityTime
        self.accountTime = accountTime
    }
}

/// A message that cannot be resolved yet, kept with its frame so that no stream offset waits for it.
public struct HeldMessage: Hashable, Sendable {
    public enum Reason: String, Hashable, Sendable, CaseIterable {
        /// Its predecessor has not come: another relay may bring it.
        case predecessor
        /// The DID's key could not be had in time.
        case identity
        /// A snapshot of the repository comes first.
        case snapshot
    }
    /// 0 before it is stored.
    public var id: Int64
    public var did: String
    public var rev: String
    public var reason: Reason
    public var entry: UpstreamEntry
    public var heldSince: WallTime
    /// When to look at it again at the latest.
    public var dueAt: WallTime
    public var attempts: Int
    public init(
        id: Int64 = 0, did: String, rev: String, reason: Reason, entry: UpstreamEntry, heldSince: WallTime, dueAt: WallTime, attempts: Int = 0
    ) {
        self.id = id
        self.did = did
        self.rev = rev
        self.reason = reason
        self.entry = entry
        self.heldSince = heldSince
        self.dueAt = dueAt
        self.attempts = attempts
    }
}

/// A message that was refused: counted by reason, kept (bounded per shard) for inspection.
public struct RefusedMessage: Hashable, Sendable {
    /// A stable code, as `bad_signature`.
    public var reason: String
    public var detail: String
    public var entry: UpstreamEntry
    public init(reason: String, detail: String, entry: UpstreamEntry) {
        self.reason = reason
        self.detail = detail
        self.entry = entry
    }
}

/// Everything that one batch of a shard changes; committed as one transaction or not at all.
public struct ShardBatch: Sendable {
    public var lease: ShardLease
    /// Which of the shard's logs it is of: its run, and the stream whose offset it moves.
    public var log: LiveLog
    /// In log order; their `seq` and `loggedAt` are given by the commit: contiguous after the run's last seq.
    public var events: [LogEvent] = []
    /// Upserts; one a DID.
    public var repositories: [RepositoryState] = []
    /// The last entry of the work stream that this batch resolves, nil where it resolves none (a sweep of held messages).
    public var offset: EntryID?
    /// Upserts, one for each (upstream, session) that changed.
    public var sessions: [SessionProgress] = []
    /// Raises watermark(upstream, shard) to max(old, new).
    public var watermarks: [UpstreamName: Position] = [:]
    public var held: [HeldMessage] = []
    /// Held messages that are resolved now, by id.
    public var released: [Int64] = []
    /// Held messages to look at again later, by id.
    public var postponed: [(id: Int64, dueAt: WallTime)] = []
    public var refused: [RefusedMessage] = []
    /// Sessions that have a hole here: asks their owner to open a new one at the committed watermark.
    public var rewinds: [(upstream: UpstreamName, session: Int64)] = []
    /// Positions that an upstream itself no longer has.
    public var gaps: [(upstream: UpstreamName, gap: UpstreamEntry.Gap)] = []
    /// What changes about tracked repositories.
    public var tracked = TrackedChanges()

    /// Upserts, one a label: what was said last of it.
    public var labels: [StoredLabel] = []
    public var heldLabels: [HeldLabel] = []
    /// Held labels that are resolved now, by id.
    public var releasedLabels: [Int64] = []
    /// Held labels to look at again later, by id.
    public var postponedLabels: [(id: Int64, dueAt: WallTime)] = []

    public init(lease: ShardLease, log: LiveLog = .firehose) {
        self.lease = lease
        self.log = log
    }

    public var run: RunID { .live(log, lease.shard) }
}

public struct ShardCommit: Hashable, Sendable {
    /// Seqs given to the events, empty where there were none.
    public var seqs: Range<Int64>
    public var loggedAt: WallTime
}

/// Everything a new owner of a shard must know.
public struct ShardState: Sendable {
    public var offset: EntryID
    public var sessions: [SessionProgress]
    public var watermarks: [UpstreamName: Position]
    public var lastSeq: Int64
    public var heldCount: Int
}

extension Ledger {
    /// Where one of the shard's streams stands, fenced, once no batch of it is under way.
    ///
    /// Its watermarks are those of every upstream of that log that ever opened a session: where a shard has none, it is the upstream's baseline, from which a
    /// session may start. One of an older numbering stays: what is between may be lost, and is then to be told.
    public func shardState(_ lease: ShardLease, log: LiveLog = .firehose) async throws(LedgerError) -> ShardState {
        let shard = PostgresParameter.int32(Int32(clamping: lease.shard))
        return try await mapped("state of shard \(lease.shard)") {
            // One transaction: behind the fence nothing of an earlier owner can be under way, and behind `shardSettled` nothing of our own.
            let answers = try await pool.pipeline([
                PostgresStatement(BatchSQL.commitFence, [shard, .int64(lease.token.value)]), PostgresStatement(log.shardSettled, [shard]),
                PostgresStatement(log.shardPosition, [shard]), PostgresStatement(BatchSQL.shardSessions, [shard]),
                PostgresStatement(BatchSQL.shardWatermarks, [shard]),
            ])
            guard let row = answers[2].first, let offset = EntryID(try row.value("entry_id", as: String.self)) else {
                throw LedgerError(code: .corrupt, message: "the shard has no position", place: "state of shard \(lease.shard)")
            }
            var watermarks: [UpstreamName: Position] = [:]
            for row in answers[4] {
                let upstream = try row.upstream()
                if upstream.kind == log.upstreams { watermarks[upstream] = try row.position("epoch", "seq") }
            }
            return ShardState(
                offset: offset,
                sessions: try answers[3].map { row in
                    SessionProgress(
                        upstream: try row.upstream(), session: try row.value("session"), expectedN: try row.value("expected_n"),
                        broken: try row.value("broken"))
                }.filter { $0.upstream.kind == log.upstreams }, watermarks: watermarks, lastSeq: try row.value("last_seq"),
                heldCount: Int(try row.value("held", as: Int64.self)))
        }
    }

    /// Commits a batch: fence, position, run's last seq, repositories, sessions, watermarks, held, refused; the log's rows by binary COPY; rewinds,
    /// gaps and the outbox's tails.
    ///
    /// Three steps to the server: all that needs no answer goes in one pipeline behind the fence, then the COPY, and with the COMMIT goes what
    /// changes rows that others wait for.
    /// - Throws: `fenced` where the token is not current (nothing written); `unavailable` with `mayHaveCommitted` where the answer to COMMIT was
    ///   lost: then read ``shardState(_:)`` again before anything else.
    public func commit(_ batch: ShardBatch) async throws(LedgerError) -> ShardCommit {
        let place = "commit shard \(batch.lease.shard)"
        return try await mapped(place) {
            try await pool.transaction { connection in
                // Written while the server is at the rest.
                async let rows = RunRows(batch.events)
                let answers = try await connection.pipeline(ShardBatchStatements.opening(batch) + ShardBatchStatements.changes(batch))
                let committedAt = try Self.checkOffset(of: batch, against: answers[1], place)
                if let offset = batch.tracked.offset { try Self.check(offset, against: answers[ShardBatchStatements.backfillAnswer(batch)], place) }
                for statement in ShardBatchStatements.closing(batch) { try await connection.beforeCommit(statement) }
                guard !batch.events.isEmpty else { return ShardCommit(seqs: 0..<0, loggedAt: committedAt) }
                let appended = try await RunAppend.append(await rows, run: batch.run, raised: answers[2], on: connection, seams: seams)
                seams.reached(.workBeforeCommitSent)
                return appended.result
            }
        }
    }

    /// The offset of a shard never turns back; returns the server's time.
    private static func checkOffset(of batch: ShardBatch, against rows: PostgresRows, _ place: String) throws -> WallTime {
        guard let row = rows.first, let stored = EntryID(try row.value("entry_id", as: String.self)) else {
            throw LedgerError(code: .corrupt, message: "the shard has no position", place: place)
        }
        if let offset = batch.offset, offset < stored {
            throw LedgerError(code: .corrupt, message: "the offset would turn back from \(stored) to \(offset)", place: place)
        }
        return try row.time("at")
    }

    private static func check(_ offset: EntryID, against rows: PostgresRows, _ place: String) throws {
        guard let row = rows.first, let stored = EntryID(try row.value("entry_id", as: String.self)), stored <= offset else {
            throw LedgerError(code: .corrupt, message: "the backfill offset would turn back to \(offset), or there is none", place: place)
        }
    }

    /// States of those of `dids`, which belong to the shard, that are known.
    public func repositories(shard: Shard, dids: [String]) async throws(LedgerError) -> [String: RepositoryState] {
        guard !dids.isEmpty else { return [:] }
        return try await mapped("repositories") {
            var found: [String: RepositoryState] = [:]
            for row in try await pool.query(BatchSQL.selectRepositories, [.int32(Int32(clamping: shard)), .texts(dids.map(\.storable))]) {
                let did: String = try row.value("did")
                found[did] = RepositoryState(
                    did: did, rev: try row.value("rev"), data: try row.value("data"), status: try row.known("status"),
                    reason: try row.value("reason"), identityTime: try row.optionalTime("identity_time"),
                    accountTime: try row.optionalTime("account_time"))
            }
            return found
        }
    }

    /// Held messages of a shard that are due at or before `now`, or belong to one of `dids`; in order of (did, rev); at most `limit`.
    public func held(shard: Shard, dueBy now: WallTime, dids: [String], limit: Int) async throws(LedgerError) -> [HeldMessage] {
        try await mapped("held of shard \(shard)") {
            let rows = try await pool.query(
                BatchSQL.selectHeld,
                [
                    .int32(Int32(clamping: shard)), .timestamp(PostgresTimestamp(now)), .texts(dids.map(\.storable)),
                    .int64(Int64(max(1, limit))),
                ])
            return try rows.map(Self.held)
        }
    }

    private static func held(_ row: PostgresRow) throws -> HeldMessage {
        let did: String = try row.value("did")
        let rev: String = try row.value("rev")
        let entry = UpstreamEntry(
            host: try row.value("host"), session: try row.value("session"), n: try row.value("n"),
            position: Position(epoch: try row.value("epoch"), seq: try row.value("seq")), kind: try row.known("kind"), did: did, rev: rev,
            time: try row.value("time"), frame: try row.value("frame"))
        return HeldMessage(
            id: try row.value("id"), did: did, rev: rev, reason: try row.known("reason"), entry: entry, heldSince: try row.time("held_since"),
            dueAt: try row.time("due_at"), attempts: Int(try row.value("attempts", as: Int32.self)))
    }
}
