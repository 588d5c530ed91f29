public import Events
internal import PostgresClient

/// Where repositories stand, for whoever asks.
extension Ledger {
    /// Everything that is known of one repository; a phase of `unknown` where that is nothing.
    ///
    /// Its parts are read one after the other: what changes meanwhile may be told by one and not by another.
    public func repositoryView(_ did: String, shard: Shard) async throws(LedgerError) -> RepositoryView {
        let did = did.storable
        let number = PostgresParameter.int32(Int32(clamping: shard))
        return try await mapped("repository \(did)") {
            let answers = try await pool.pipeline([
                PostgresStatement(ScopeSQL.planForValues), PostgresStatement(BatchSQL.selectRepositories, [number, .texts([did])]),
                PostgresStatement(JobSQL.selectJob, [.text(did)]), PostgresStatement(RunSQL.selectIdentities, [.texts([did])]),
                PostgresStatement(ScopeSQL.repositoryCounts, [number, .text(did), .int64(Int64(RepositoryView.countMax + 1))]),
            ])
            guard let counts = answers[4].first else { throw LedgerError(code: .corrupt, message: "no counts", place: "repository \(did)") }
            let row = try answers[1].first.map { row in
                RepositoryView.Row(
                    status: try row.value("status"), reason: try row.value("reason"), rev: try row.value("rev"), data: try row.value("data"),
                    identityTime: try row.optionalTime("identity_time"), accountTime: try row.optionalTime("account_time"))
            }
            let job = try answers[2].first.map(Self.backfillJob)
            let isWanted: Bool? = try counts.optional("wanted")
            return RepositoryView(
                did: did, shard: shard,
                phase: RepositoryPhase(status: row?.status, rev: row?.rev ?? "", isWanted: isWanted, job: job.map(\.phaseJob) ?? .none),
                isWanted: isWanted, request: try counts.optional("request"), row: row, job: job,
                identity: try answers[3].first.map(Self.storedIdentity), held: Int(try counts.value("held", as: Int64.self)),
                records: Int(try counts.value("records", as: Int64.self)))
        }
    }

    /// A page of repositories that have a job or were named, in order of DID, behind `after`.
    ///
    /// A phase is looked for among ``phaseLookMax`` of them at most: a page that found fewer than `limit` may have a next one.
    public func trackedRepositories(
        phase: RepositoryPhase?, after: String?, limit: Int
    ) async throws(LedgerError) -> RepositoryPage {
        let limit = max(1, limit)
        let looked = phase == nil ? limit : max(limit, Self.phaseLookMax)
        return try await mapped("tracked repositories") {
            let rows = try await pool.query(ScopeSQL.trackedRepositories, [.text((after ?? "").storable), .int64(Int64(looked))])
            var page = RepositoryPage(repositories: [], next: nil)
            for row in rows {
                let summary = try Self.summary(row)
                if page.repositories.count == limit { return page }
                page.next = summary.did
                if phase == nil || summary.phase == phase { page.repositories.append(summary) }
            }
            if rows.count < looked { page.next = nil }
            return page
        }
    }

    /// How many repositories one search for a phase looks at.
    public static let phaseLookMax = 5_000

    private static func summary(_ row: PostgresRow) throws -> RepositorySummary {
        let state: BackfillJob.State? = try row.optional("state", as: String.self) == nil ? nil : row.known("state")
        let failures = Int(try row.optional("failures", as: Int32.self) ?? 0)
        let error: String = try row.optional("error") ?? ""
        let job = state.map { RepositoryPhase.Job($0, failures: failures, error: error) } ?? .none
        let rev: String = try row.optional("rev") ?? ""
        let phase = RepositoryPhase(status: try row.optional("status"), rev: rev, isWanted: try row.optional("wanted"), job: job)
        return RepositorySummary(
            did: try row.value("did"), phase: phase, reason: try row.optional("reason") ?? "", rev: rev,
            retryAt: phase == .failed && state == .waiting ? try row.optionalTime("retry_at") : nil, error: error)
    }
}

extension BackfillJob {
    var phaseJob: RepositoryPhase.Job { RepositoryPhase.Job(state, failures: failures, error: error) }
}

extension RepositoryPhase.Job {
    init(_ state: BackfillJob.State, failures: Int, error: String) {
        self =
            switch state {
            case .waiting: .waiting(failures: failures)
            case .queued: .queued
            case .fetching, .streamed: .underWay
            case .done: .done
            case .refused: .refused(error)
            case .dead: .dead
            }
    }
}
