public import Events
internal import PostgresClient

/// What the owner of a shard reads about tracked repositories before it decides; the changes go with its batch (`ShardBatch.tracked`).
extension Ledger {
    /// A range of a repository's keys: above `after`, up to and including `through` (empty: to the end).
    public struct KeyRange: Hashable, Sendable {
        public var did: String
        public var after: String
        public var through: String
        public init(did: String, after: String, through: String) {
            self.did = did
            self.after = after
            self.through = through
        }
    }

    /// A record that was delivered and not deleted.
    public struct DeliveredRecord: Hashable, Sendable {
        public var path: String
        /// Binary.
        public var cid: [UInt8]
        public init(path: String, cid: [UInt8]) {
            self.path = path
            self.cid = cid
        }
    }

    /// How far the shard's backfill stream is resolved, fenced.
    public func backfillOffset(_ lease: ShardLease) async throws(LedgerError) -> EntryID {
        let shard = PostgresParameter.int32(Int32(clamping: lease.shard))
        return try await mapped("backfill offset of shard \(lease.shard)") {
            let answers = try await pool.pipeline([
                PostgresStatement(BatchSQL.commitFence, [shard, .int64(lease.token.value)]), PostgresStatement(BatchSQL.shardSettled, [shard]),
                PostgresStatement(SnapshotSQL.backfillPosition, [shard]),
            ])
            guard let row = answers[2].first, let offset = EntryID(try row.value("entry_id", as: String.self)) else {
                throw LedgerError(code: .corrupt, message: "the shard has no backfill position", place: "backfill offset of shard \(lease.shard)")
            }
            return offset
        }
    }

    /// The attempts that are, or were, applied to these repositories, by DID.
    public func snapshots(shard: Shard, dids: [String]) async throws(LedgerError) -> [String: TrackedChanges.Snapshot] {
        guard !dids.isEmpty else { return [:] }
        return try await mapped("snapshots of shard \(shard)") {
            var found: [String: TrackedChanges.Snapshot] = [:]
            for row in try await pool.query(SnapshotSQL.selectSnapshots, [.int32(Int32(clamping: shard)), .texts(dids.map(\.storable))]) {
                let did: String = try row.value("did")
                found[did] = TrackedChanges.Snapshot(
                    did: did, attempt: try row.value("attempt"), isOpen: try row.value("is_open"), nextN: try row.value("next_n"),
                    lastKey: try row.value("last_key"), count: try row.value("count"), rev: try row.value("rev"), data: try row.value("data"),
                    host: try row.value("host"))
            }
            return found
        }
    }

    /// The attempts that count, by DID: of jobs that have not ended, the last one that was numbered.
    public func currentAttempts(_ dids: [String]) async throws(LedgerError) -> [String: Int64] {
        guard !dids.isEmpty else { return [:] }
        return try await mapped("current attempts") {
            var attempts: [String: Int64] = [:]
            for row in try await pool.query(SnapshotSQL.currentAttempts, [.texts(dids.map(\.storable))]) {
                attempts[try row.value("did")] = try row.value("attempt", as: Int64.self)
            }
            return attempts
        }
    }

    /// What was delivered in each range, in order of keys, at most `most` of each.
    public func delivered(shard: Shard, in ranges: [KeyRange], most: Int) async throws(LedgerError) -> [[DeliveredRecord]] {
        guard !ranges.isEmpty else { return [] }
        return try await mapped("delivered records of shard \(shard)") {
            var found = [[DeliveredRecord]](repeating: [], count: ranges.count)
            let rows = try await pool.query(
                SnapshotSQL.selectDelivered,
                [
                    .int32(Int32(clamping: shard)), .texts(ranges.map(\.did.storable)), .texts(ranges.map(\.after.storable)),
                    .texts(ranges.map(\.through.storable)), .int32(Int32(clamping: most)),
                ])
            for row in rows {
                let range = Int(try row.value(0, as: Int64.self)) - 1
                found[range].append(DeliveredRecord(path: try row.value(1), cid: try row.value(2)))
            }
            return found
        }
    }

    /// Which of these repositories somebody wants, or has told to leave out; those that nobody named are missing.
    public func wantedRepositories(_ dids: [String]) async throws(LedgerError) -> [String: Bool] {
        guard !dids.isEmpty else { return [:] }
        return try await mapped("wanted repositories") {
            var wanted: [String: Bool] = [:]
            for row in try await pool.query(SnapshotSQL.wantedDids, [.texts(dids.map(\.storable))]) {
                let did: String = try row.value("did")
                // To be left out weighs more than a job that somebody had made.
                wanted[did] = try (wanted[did] ?? true) && row.value("wanted", as: Bool.self)
            }
            return wanted
        }
    }

    /// What the owner of a shard is asked to do, the oldest first.
    public func repositoryRequests(shard: Shard, limit: Int) async throws(LedgerError) -> [RepositoryRequest] {
        try await mapped("requests of shard \(shard)") {
            try await pool.query(SnapshotSQL.selectRequests, [.int32(Int32(clamping: shard)), .int64(Int64(limit))]).map { row in
                RepositoryRequest(did: try row.value("did"), action: try row.known("action"))
            }
        }
    }
}
