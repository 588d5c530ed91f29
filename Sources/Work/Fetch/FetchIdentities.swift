internal import ATProto
internal import Events
internal import Hosts
internal import Ledger

/// Keys and hosts of accounts for fetches: as stored where that is young enough, else from the directory, and stored for all.
struct FetchIdentities: Sendable {
    let ledger: FetchLedger
    let documents: DIDFetcher
    let lifetime: Duration
    let clock: WorkClock

    enum Refreshed: Sendable {
        case found(StoredIdentity)
        case absent
        case failed(String)
    }

    /// What is known of a DID; `isFresh` where it was fetched just now.
    func known(_ did: String) async throws -> (identity: StoredIdentity?, isFresh: Bool) {
        let stored = try await ledger.identity(did)
        if let stored, stored.status == .found, !stored.host.isEmpty, clock.wall() <= stored.fetchedAt.adding(lifetime) { return (stored, false) }
        switch try await refresh(did) {
        case .found(let identity): return (identity, true)
        case .absent: return (nil, true)
        case .failed: return (stored, false)
        }
    }

    func refresh(_ did: String) async throws -> Refreshed {
        switch await documents.fetch(did, now: clock.wall()) {
        case .found(let identity):
            let stored = StoredIdentity(
                did: did, status: .found, signingKey: identity.key.didKey, host: identity.host, handle: identity.handle, fetchedAt: identity.fetchedAt
            )
            try await ledger.store(stored)
            return .found(stored)
        case .absent: return .absent
        case .failed(let reason): return .failed(reason)
        }
    }
}
