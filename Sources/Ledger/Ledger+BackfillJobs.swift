internal import Events
internal import PostgresClient

/// What fetchers do with jobs. Each call is one statement, and each DID stands in it once; whoever lost its attempt to another changes nothing and is told so.
extension Ledger {
    /// Takes jobs that wait, are queued, or whose fetcher fell silent: a new attempt each. Not among the answers are those where there is nothing to do
    /// (any more), or that a live attempt has: acknowledge the queue's entries, which are too many.
    ///
    /// - Parameter silentWithin: an attempt whose deadline is nearer than that was not heard of for long enough to be taken for dead.
    public func claimJobs(_ dids: [String], deadline: Duration, silentWithin: Duration = .zero) async throws(LedgerError) -> [String: ClaimedJob] {
        guard !dids.isEmpty else { return [:] }
        return try await mapped("claim jobs") {
            var claimed: [String: ClaimedJob] = [:]
            let parameters: [PostgresParameter] = [
                .texts(dids.map(\.storable)), .int64(deadline.milliseconds), .int64(silentWithin.milliseconds),
            ]
            for row in try await pool.query(JobSQL.claimJobs, parameters) {
                let rev: String? = try row.optional("rev")
                let job = ClaimedJob(
                    did: try row.value("did"), shard: Int(try row.value("shard", as: Int32.self)), source: try row.value("source"),
                    reason: try row.value("reason"), attempt: try row.value("attempt"), failures: Int(try row.value("failures", as: Int32.self)),
                    host: try row.value("host"), storedRev: rev.flatMap { $0.isEmpty ? nil : $0 })
                claimed[job.did] = job
            }
            return claimed
        }
    }

    /// One of them.
    public func claimJob(_ did: String, deadline: Duration, silentWithin: Duration = .zero) async throws(LedgerError) -> ClaimedJob? {
        try await claimJobs([did], deadline: deadline, silentWithin: silentWithin)[did]
    }

    /// Puts off the deadlines of attempts under way; returns the DIDs of those that are still theirs.
    public func touchJobs(_ attempts: [(did: String, attempt: Int64)], deadline: Duration) async throws(LedgerError) -> Set<String> {
        guard !attempts.isEmpty else { return [] }
        return try await mapped("touch jobs") {
            let rows = try await pool.query(
                JobSQL.touchJobs, [.texts(attempts.map(\.did.storable)), .int64s(attempts.map(\.attempt)), .int64(deadline.milliseconds)])
            return Set(try rows.map { try $0.value("did", as: String.self) })
        }
    }

    /// An attempt that ended without a snapshot: the job waits for `retryAfter`. `isFailure` false: it was nobody's fault (a parked host, a shutdown).
    public func returnJob(
        _ job: ClaimedJob, host: String, error: String, retryAfter: Duration, isFailure: Bool
    ) async throws(LedgerError) {
        try await mapped("return job \(job.did)") {
            _ = try await pool.query(
                JobSQL.returnJob,
                [
                    .text(job.did.storable), .int64(job.attempt), .text(host.storable), .text(error.storable), .int64(retryAfter.milliseconds),
                    .int32(isFailure ? 1 : 0),
                ])
        }
    }

    /// Whole snapshots stand in the stream; what the owner has not taken by `deadline` is fetched again. Gives the DIDs of which no other attempt has the job.
    public func streamedJobs(_ jobs: [StreamedJob], deadline: Duration) async throws(LedgerError) -> Set<String> {
        guard !jobs.isEmpty else { return [] }
        return try await mapped("streamed jobs") {
            let rows = try await pool.query(
                JobSQL.streamedJobs,
                [
                    .texts(jobs.map(\.did.storable)), .int64s(jobs.map(\.attempt)), .texts(jobs.map(\.host.storable)), .int64s(jobs.map(\.records)),
                    .int64s(jobs.map(\.bytes)), .int64(deadline.milliseconds),
                ])
            return Set(try rows.map { try $0.value("did", as: String.self) })
        }
    }

    /// One of them; false where another attempt has the job.
    public func streamedJob(
        _ job: ClaimedJob, host: String, records: Int64, bytes: Int64, deadline: Duration
    ) async throws(LedgerError) -> Bool {
        let streamed = StreamedJob(did: job.did, attempt: job.attempt, host: host, records: records, bytes: bytes)
        return try await streamedJobs([streamed], deadline: deadline).contains(job.did)
    }

    /// Gives a job up and keeps a dead letter; nothing where it has ended.
    public func buryJob(_ did: String, error: String, attempts: Int) async throws(LedgerError) {
        try await mapped("bury job \(did)") {
            _ = try await pool.query(JobSQL.buryJob, [.text(did.storable), .text(error.storable), .int32(Int32(clamping: attempts))])
        }
    }

    /// Nil where no snapshot of it was ever wanted.
    public func job(_ did: String) async throws(LedgerError) -> BackfillJob? {
        try await mapped("job \(did)") { try await pool.query(JobSQL.selectJob, [.text(did.storable)]).first.map(Self.backfillJob) }
    }

    /// A row of `select_job.sql`.
    static func backfillJob(_ row: PostgresRow) throws -> BackfillJob {
        BackfillJob(
            did: try row.value("did"), shard: Int(try row.value("shard", as: Int32.self)), source: try row.value("source"),
            reason: try row.value("reason"), state: try row.known("state"), again: try row.value("again"), attempt: try row.value("attempt"),
            failures: Int(try row.value("failures", as: Int32.self)), retryAt: try row.time("retry_at"), host: try row.value("host"),
            error: try row.value("error"), records: try row.value("records"), bytes: try row.value("bytes"),
            changedAt: try row.time("changed_at"))
    }

    /// Leaves a host alone for a while, in every process: its waiting jobs are not fed.
    public func parkHost(_ host: String, for duration: Duration, reason: String) async throws(LedgerError) {
        try await mapped("park \(host)") {
            _ = try await pool.query(JobSQL.parkHost, [.text(host.storable), .int64(duration.milliseconds), .text(reason.storable)])
        }
    }

    /// A host answers again.
    public func unparkHost(_ host: String) async throws(LedgerError) {
        try await mapped("unpark \(host)") { _ = try await pool.query(JobSQL.unparkHost, [.text(host.storable)]) }
    }

    /// Those that are left alone now, the longest first.
    public func parkedHosts(limit: Int) async throws(LedgerError) -> [ParkedHost] {
        try await mapped("parked hosts") {
            try await pool.query(JobSQL.parkedHosts, [.int64(Int64(limit))]).map(Self.parkedHost)
        }
    }

    static func parkedHost(_ row: PostgresRow) throws -> ParkedHost {
        ParkedHost(
            host: try row.value("host"), left: .milliseconds(try row.value("ms_left", as: Int64.self)),
            failures: Int(try row.value("failures", as: Int32.self)), reason: try row.value("reason"))
    }
}

/// A host that is left alone for a while.
public struct ParkedHost: Hashable, Sendable {
    public var host: String
    public var left: Duration
    public var failures: Int
    public var reason: String
}
