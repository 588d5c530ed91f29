public import Events
internal import PostgresClient

/// Which DIDs of a shard have held messages.
public struct HeldDID: Hashable, Sendable {
    public var did: String
    public var count: Int
    /// When the first of them is due.
    public var dueAt: WallTime
    public init(did: String, count: Int, dueAt: WallTime) {
        self.did = did
        self.count = count
        self.dueAt = dueAt
    }
}

extension Ledger {
    /// Every DID of a shard with held messages, those held longest first: what a new owner rebuilds its table from.
    public func heldIndex(shard: Shard) async throws(LedgerError) -> [HeldDID] {
        try await mapped("held of shard \(shard)") {
            try await pool.query(RunSQL.heldIndex, [.int32(Int32(shard))]).map { row in
                HeldDID(did: try row.value("did"), count: Int(try row.value("count", as: Int64.self)), dueAt: try row.time("due_at"))
            }
        }
    }
}
