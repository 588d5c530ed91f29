public import Events
internal import PostgresClient

/// What a DID's document said, as far as Weir needs it.
public struct StoredIdentity: Hashable, Sendable {
    public enum Status: String, Hashable, Sendable, CaseIterable { case found, notFound, invalid }
    public var did: String
    public var status: Status
    /// The `#atproto` key as a did:key; empty unless found.
    public var signingKey: String
    /// The `#atproto_pds` endpoint; empty where there is none.
    public var host: String
    public var handle: String
    public var fetchedAt: WallTime
    public init(did: String, status: Status, signingKey: String = "", host: String = "", handle: String = "", fetchedAt: WallTime) {
        self.did = did
        self.status = status
        self.signingKey = signingKey
        self.host = host
        self.handle = handle
        self.fetchedAt = fetchedAt
    }
}

extension Ledger {
    public func identities(_ dids: [String]) async throws(LedgerError) -> [String: StoredIdentity] {
        guard !dids.isEmpty else { return [:] }
        return try await mapped("identities") {
            var found: [String: StoredIdentity] = [:]
            for row in try await pool.query(RunSQL.selectIdentities, [.texts(dids)]) {
                let identity = try Self.storedIdentity(row)
                found[identity.did] = identity
            }
            return found
        }
    }

    /// A row of `select_identities.sql`.
    static func storedIdentity(_ row: PostgresRow) throws -> StoredIdentity {
        let status: String = try row.value("status")
        return StoredIdentity(
            did: try row.value("did"), status: StoredIdentity.Status(rawValue: status) ?? .invalid, signingKey: try row.value("signing_key"),
            host: try row.value("host"), handle: try row.value("handle"), fetchedAt: try row.time("fetched_at"))
    }

    /// Upserts; an older `fetchedAt` never overwrites a newer one.
    public func storeIdentities(_ identities: [StoredIdentity]) async throws(LedgerError) {
        guard !identities.isEmpty else { return }
        // One row a DID, as an upsert needs it: the newest.
        let rows = Dictionary(grouping: identities, by: \.did).compactMap { $0.value.max { $0.fetchedAt < $1.fetchedAt } }.sorted { $0.did < $1.did }
        try await mapped("store identities") {
            _ = try await pool.query(
                RunSQL.storeIdentities,
                [
                    .texts(rows.map(\.did)), .texts(rows.map(\.status.rawValue)), .texts(rows.map(\.signingKey)), .texts(rows.map(\.host)),
                    .texts(rows.map(\.handle)), .timestamps(rows.map { PostgresTimestamp($0.fetchedAt) }),
                ])
        }
    }
}
