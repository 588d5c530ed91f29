public import Events
internal import PostgresClient

/// What people ask for by name: repositories to track, to leave out, to fetch again. Nothing here waits for a fetcher or an owner.
///
/// Each call is one transaction and locks in one order: rows of `repo_scope`, of `backfill_jobs`, of `repo_requests`, each by DID. So two callers never
/// deadlock, and calls that name the same DID come one after the other.
extension Ledger {
    /// DIDs that one call takes at most.
    public static let scopeCallMax = 10_000

    /// Wants repositories: each that was not wanted by name gets a snapshot that begins after this moment, and where it had been removed, its shard's
    /// owner is asked to take it up again.
    ///
    /// - Parameter reason: of the jobs.
    /// - Throws: `other` above ``scopeCallMax``.
    public func addRepositories(_ dids: [String], shards: ShardMap, reason: String) async throws(LedgerError) -> [String: ScopeOutcome] {
        let names = try Names(dids, shards)
        return try await mapped("add repositories") {
            try await pool.transaction { connection in
                let changed = try await Self.named(connection.query(ScopeSQL.addScope, [names.texts, names.shards]))
                let isNew = names.dids.map { Optional(changed[$0] != nil) }
                _ = try await connection.query(ScopeSQL.addJobs, [names.texts, names.shards, .bools(isNew), .text(reason.storable)])
                try await Self.ask("add", names.only { changed[$0] == true }, on: connection)
                return names.outcomes { changed[$0] == nil ? .alreadyWanted : .added }
            }
        }
    }

    /// Leaves repositories out, whatever else asks for them: their jobs are deleted, so an attempt under way finds that it has none, and their shards'
    /// owners are asked to forget them and to tell consumers.
    ///
    /// - Throws: `other` above ``scopeCallMax``.
    public func removeRepositories(_ dids: [String], shards: ShardMap) async throws(LedgerError) -> [String: ScopeOutcome] {
        let names = try Names(dids, shards)
        return try await mapped("remove repositories") {
            try await pool.transaction { connection in
                let changed = try await Self.named(connection.query(ScopeSQL.removeScope, [names.texts, names.shards]))
                let ended = Set(try await connection.query(ScopeSQL.deleteJobs, [names.texts]).map { try $0.value("did", as: String.self) })
                try await Self.ask("remove", names.only { changed[$0] != nil }, on: connection)
                return names.outcomes { did in
                    guard let wasWanted = changed[did] else { return .alreadyRemoved }
                    return wasWanted || ended.contains(did) ? .removed : .notTracked
                }
            }
        }
    }

    /// Wants a new snapshot of each that is tracked.
    ///
    /// - Throws: `other` above ``scopeCallMax``.
    public func resyncRepositories(_ dids: [String]) async throws(LedgerError) -> [String: ScopeOutcome] {
        let names = try Names(dids, ShardMap(count: 1))
        return try await mapped("resync repositories") {
            let rows = try await pool.query(ScopeSQL.resyncJobs, [names.texts, .text("requested")])
            let wanted = Set(try rows.map { try $0.value("did", as: String.self) })
            return names.outcomes { wanted.contains($0) ? .requested : .notTracked }
        }
    }

    /// Rows of `repo_scope` that a statement changed, and whether each had said the other thing before.
    private static func named(_ rows: PostgresRows) throws -> [String: Bool] {
        var changed: [String: Bool] = [:]
        for row in rows { changed[try row.value("did")] = try row.value("was_there", as: Bool.self) }
        return changed
    }

    private static func ask(_ action: String, _ names: Names, on connection: PostgresConnection) async throws {
        guard !names.dids.isEmpty else { return }
        _ = try await connection.query(ScopeSQL.askOwners, [names.texts, names.shards, .text(action)])
    }

    /// What a call names: each DID once.
    private struct Names {
        var dids: [String]
        private let map: ShardMap

        init(_ dids: [String], _ map: ShardMap) throws(LedgerError) {
            self.dids = Array(Set(dids.map(\.storable)))
            self.map = map
            guard self.dids.count <= Ledger.scopeCallMax else {
                let message = "\(self.dids.count) DIDs; at most \(Ledger.scopeCallMax) in one call"
                throw LedgerError(code: .other, message: message, place: "change of scope")
            }
        }

        var texts: PostgresParameter { .texts(dids) }
        var shards: PostgresParameter { .int32s(dids.map { Int32(clamping: map.shard(of: $0)) }) }

        func only(_ isWanted: (String) -> Bool) -> Names {
            var names = self
            names.dids = dids.filter(isWanted)
            return names
        }

        func outcomes(_ outcome: (String) -> ScopeOutcome) -> [String: ScopeOutcome] {
            Dictionary(uniqueKeysWithValues: dids.map { ($0, outcome($0)) })
        }
    }
}
