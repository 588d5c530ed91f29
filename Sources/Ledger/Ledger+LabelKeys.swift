public import Events
internal import PostgresClient

/// The key that a source signs labels with, as its document last said.
public struct StoredLabelKey: Hashable, Sendable {
    public var did: String
    /// As did:key.
    public var key: String
    public var fetchedAt: WallTime
    public init(did: String, key: String, fetchedAt: WallTime) {
        self.did = did
        self.key = key
        self.fetchedAt = fetchedAt
    }
}

extension Ledger {
    public func labelKeys(_ dids: [String]) async throws(LedgerError) -> [String: StoredLabelKey] {
        guard !dids.isEmpty else { return [:] }
        return try await mapped("label keys") {
            var found: [String: StoredLabelKey] = [:]
            for row in try await pool.query(LabelSQL.selectKeys, [.texts(dids)]) {
                let did: String = try row.value("did")
                found[did] = StoredLabelKey(did: did, key: try row.value("key"), fetchedAt: try row.time("fetched_at"))
            }
            return found
        }
    }

    /// Upserts; an older `fetchedAt` never overwrites a newer one.
    public func storeLabelKeys(_ keys: [StoredLabelKey]) async throws(LedgerError) {
        guard !keys.isEmpty else { return }
        // One row a DID, as an upsert needs it: the newest.
        let rows = Dictionary(grouping: keys, by: \.did).compactMap { $0.value.max { $0.fetchedAt < $1.fetchedAt } }.sorted { $0.did < $1.did }
        try await mapped("store label keys") {
            _ = try await pool.query(
                LabelSQL.storeKeys,
                [.texts(rows.map(\.did)), .texts(rows.map(\.key)), .timestamps(rows.map { PostgresTimestamp($0.fetchedAt) })])
        }
    }
}
