internal import Events
internal import PostgresClient

/// What the enumerator of a host and the feeder do. An enumeration is owned through the lease of its upstream (kind `backfill`).
extension Ledger {
    /// The enumeration of a leased host, made at the first call. Another method than before begins it anew.
    public func openBackfillSource(_ lease: UpstreamLease, method: String) async throws(LedgerError) -> BackfillSource {
        let place = "open the backfill of \(lease.upstream.host)"
        return try await mapped(place) {
            let rows = try await pool.query(
                JobSQL.openBackfillSource, [.text(lease.upstream.host), .int64(lease.token.value), .text(method.storable)])
            guard let row = rows.first else { throw LedgerError.fenced(place) }
            return BackfillSource(
                host: lease.upstream.host, method: try row.value("method"), cursor: try row.optional("cursor"), state: try row.known("state"),
                pass: Int(try row.value("pass", as: Int32.self)), restarts: Int(try row.value("restarts", as: Int32.self)),
                gapsSeen: try row.value("gaps_seen"), listed: try row.value("listed"),
                startedAt: try row.time("started_at"))
        }
    }

    /// Makes the page's repositories jobs and stores the cursor behind it, fenced, as one transaction. Returns how many jobs wait that did not.
    ///
    /// - Parameter comparesRevisions: of a later pass: repositories whose stored revision is behind the listed one, or that are listed without one, are
    ///   wanted again.
    public func storePage(_ lease: UpstreamLease, page: ListedPage, comparesRevisions: Bool) async throws(LedgerError) -> Int {
        let source = PostgresParameter.text(lease.upstream.host)
        // One row a DID: the same statement may not touch a row twice.
        var seen = Set<String>()
        let entries = page.entries.filter { seen.insert($0.did).inserted }.sorted { $0.did < $1.did }
        return try await mapped("page of \(lease.upstream.host)") {
            let answers = try await pool.pipeline([
                PostgresStatement(JobSQL.requireSource, [source, .int64(lease.token.value)]),
                PostgresStatement(
                    JobSQL.storePage,
                    [
                        source, .texts(entries.map(\.did.storable)), .int32s(entries.map { Int32(clamping: $0.shard) }),
                        .texts(entries.map(\.rev.storable)), .texts(entries.map { $0.final?.storable ?? "" }), .bool(comparesRevisions),
                        .text(page.cursor?.storable), .int64(Int64(page.entries.count)),
                    ]),
            ])
            return try answers[1].first.map { Int(try $0.value("made", as: Int64.self)) } ?? 0
        }
    }

    /// Begins another pass from the first page, fenced. What came of jobs is counted anew.
    public func restartBackfillSource(_ lease: UpstreamLease, gapsSeen: Int64) async throws(LedgerError) {
        let source = PostgresParameter.text(lease.upstream.host)
        try await mapped("restart the backfill of \(lease.upstream.host)") {
            _ = try await pool.pipeline([
                PostgresStatement(JobSQL.requireSource, [source, .int64(lease.token.value)]),
                PostgresStatement(JobSQL.restartBackfillSource, [source, .int64(gapsSeen)]),
            ])
        }
    }

    /// Begins the same pass again from the first page, fenced: its list could not be read on.
    public func rewindBackfillSource(_ lease: UpstreamLease, error: String) async throws(LedgerError) {
        try await mapped("rewind the backfill of \(lease.upstream.host)") {
            let rows = try await pool.query(
                JobSQL.rewindBackfillSource, [.text(lease.upstream.host), .int64(lease.token.value), .text(error.storable)])
            guard rows.affectedRows == 1 else { throw LedgerError.fenced("rewind the backfill of \(lease.upstream.host)") }
        }
    }

    /// Notes a failure, or a new state, fenced.
    public func noteBackfillSource(_ lease: UpstreamLease, state: BackfillSource.State?, error: String) async throws(LedgerError) {
        try await mapped("note the backfill of \(lease.upstream.host)") {
            let rows = try await pool.query(
                JobSQL.noteBackfillSource,
                [.text(lease.upstream.host), .int64(lease.token.value), .text(state?.rawValue), .text(error.storable)])
            guard rows.affectedRows == 1 else { throw LedgerError.fenced("note the backfill of \(lease.upstream.host)") }
        }
    }

    public func backfillCounts(source: String) async throws(LedgerError) -> BackfillCounts {
        try await mapped("counts of \(source)") {
            let rows = try await pool.query(JobSQL.jobCounts, [.text(source)])
            guard let row = rows.first else { throw LedgerError(code: .corrupt, message: "no counts", place: "counts of \(source)") }
            return try Self.counts(row)
        }
    }

    static func counts(_ row: PostgresRow) throws -> BackfillCounts {
        BackfillCounts(
            done: try row.value("done"), refused: try row.value("refused"), dead: try row.value("dead"), open: try row.value("open"),
            failing: try row.value("failing"), records: try row.value("records"), bytes: try row.value("bytes"))
    }

    /// Marks up to `limit` jobs that are due as queued; the caller puts them into the queue. Jobs of parked hosts stay. What is lost on the way
    /// waits again after `deadline`.
    public func feedJobs(limit: Int, deadline: Duration) async throws(LedgerError) -> [String] {
        try await mapped("feed jobs") {
            try await pool.query(JobSQL.feedJobs, [.int64(Int64(limit)), .int64(deadline.milliseconds)]).map { try $0.value("did", as: String.self) }
        }
    }

    /// Jobs that did not get further by their deadline wait again; with `queueIsEmpty` also those that should stand in it. Returns how many, at most `limit`.
    public func sweepJobs(limit: Int, queueIsEmpty: Bool) async throws(LedgerError) -> Int {
        try await mapped("sweep jobs") {
            try await pool.query(JobSQL.sweepJobs, [.int64(Int64(limit)), .bool(queueIsEmpty)]).count
        }
    }
}
