internal import ATProto
internal import Events
internal import Hosts
internal import Ledger
internal import Logging

/// Accounts' signing keys, kept in `identities` with host and handle.
struct AccountDocuments: DocumentSource {
    static let metric = "weir_identity_fetches_total"

    let fetcher: DIDFetcher
    let ledger: Ledger

    func fetch(_ did: String, now: WallTime) async -> DIDFetcher.Outcome<ResolvedIdentity> { await fetcher.fetch(did, now: now) }

    func known(_ fetched: ResolvedIdentity) -> KnownIdentity { KnownIdentity(key: fetched.key, fetchedAt: fetched.fetchedAt) }

    func load(_ dids: [String]) async throws(LedgerError) -> [String: KnownIdentity] {
        try await ledger.identities(dids).compactMapValues { row in
            // A key that no longer parses is fetched again.
            guard row.status == .found, let key = try? VerificationKey(didKey: row.signingKey) else { return nil }
            return KnownIdentity(key: key, fetchedAt: row.fetchedAt)
        }
    }

    func store(_ fetched: [ResolvedIdentity]) async throws(LedgerError) {
        try await ledger.storeIdentities(
            fetched.map {
                StoredIdentity(
                    did: $0.did, status: .found, signingKey: $0.key.didKey, host: $0.host, handle: $0.handle, fetchedAt: $0.fetchedAt)
            })
    }
}

/// Finds accounts' signing keys.
typealias IdentityResolver = DocumentResolver<AccountDocuments>
typealias IdentityAnswer = DocumentAnswer<KnownIdentity>

extension DocumentResolver where Documents == AccountDocuments {
    init(configuration: IdentityConfiguration, ledger: Ledger, clock: WorkClock, logger: Logger) {
        let connections = HostConnections(configuration.connections)
        self.init(
            AccountDocuments(fetcher: DIDFetcher(configuration.documents, connections: connections), ledger: ledger),
            configuration: configuration, connections: connections, clock: clock, logger: logger)
    }
}
