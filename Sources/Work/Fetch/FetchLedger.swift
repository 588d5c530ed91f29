internal import Broker
internal import Events
internal import Ledger

/// What fetches say to the ledger and to the queue: of all that is said at the same time, one statement is made.
struct FetchLedger: Sendable {
    private static let most = 256

    private let claims: GatheredCalls<String, ClaimedJob?>
    private let streams: GatheredCalls<StreamedJob, Bool>
    private let reads: GatheredCalls<String, StoredIdentity?>
    private let stores: GatheredCalls<StoredIdentity, Void>
    private let acknowledgements: GatheredCalls<EntryID, Void>

    init(_ ledger: Ledger, _ queue: JobQueue, _ configuration: FetchConfiguration) {
        claims = GatheredCalls(max: Self.most) { dids in
            let claimed = try await ledger.claimJobs(
                dids, deadline: configuration.attemptDeadline, silentWithin: configuration.silentDeadline)
            return dids.map { claimed[$0] }
        }
        streams = GatheredCalls(max: Self.most) { jobs in
            let kept = try await ledger.streamedJobs(jobs, deadline: configuration.ownerDeadline)
            return jobs.map { kept.contains($0.did) }
        }
        reads = GatheredCalls(max: Self.most) { dids in
            let found = try await ledger.identities(dids)
            return dids.map { found[$0] }
        }
        stores = GatheredCalls(max: Self.most) { identities in
            try await ledger.storeIdentities(identities)
            return identities.map { _ in }
        }
        acknowledgements = GatheredCalls(max: Self.most) { ids in
            try await queue.acknowledge(ids)
            return ids.map { _ in }
        }
    }

    /// As `Ledger.claimJob`. A process has each DID in hand once.
    func claim(_ did: String) async throws -> ClaimedJob? { try await claims(did) }

    /// The whole snapshot stands in the stream.
    func streamed(_ job: ClaimedJob, host: String, records: Int64, bytes: Int64) async throws {
        _ = try await streams(StreamedJob(did: job.did, attempt: job.attempt, host: host, records: records, bytes: bytes))
    }

    func identity(_ did: String) async throws -> StoredIdentity? { try await reads(did) }

    func store(_ identity: StoredIdentity) async throws { try await stores(identity) }

    func acknowledge(_ id: EntryID) async throws { try await acknowledgements(id) }
}
