public import Events
internal import PostgresClient

/// A shard that this process owns.
public struct ShardLease: Hashable, Sendable {
    public var shard: Shard
    public var token: FencingToken
    public init(shard: Shard, token: FencingToken) {
        self.shard = shard
        self.token = token
    }
}

/// One look at the leases after a heartbeat, for `Flow`'s fair share.
public struct ShardLeaseRound: Hashable, Sendable {
    /// Shards whose lease was renewed by this call.
    public var owned: [ShardLease]
    /// Shards without an owner or with an expired lease.
    public var free: [Shard]
    /// Workers with a fresh heartbeat, this one included.
    public var liveWorkers: Int
}

extension Ledger {
    /// One statement: the worker's heartbeat, and the renewal of every shard lease it holds with an unchanged token.
    ///
    /// Never waits for a running batch of the same owner (the fence holds `FOR KEY SHARE`, renewal does not change the key).
    /// A lease that has expired is not renewed, even where nobody took it: it is acquired anew, with a new token.
    public func renewShards(worker: WorkerID, ttl: Duration) async throws(LedgerError) -> ShardLeaseRound {
        try await mapped("renew shards") {
            var round = ShardLeaseRound(owned: [], free: [], liveWorkers: 1)
            for row in try await pool.query(LeaseSQL.renewShards, [.text(worker.description), .int64(ttl.milliseconds)]) {
                let shard = Int(try row.value("shard", as: Int64.self))
                round.liveWorkers = Int(try row.value("live_workers", as: Int64.self))
                if let token: Int64 = try row.optional("token") {
                    round.owned.append(ShardLease(shard: shard, token: FencingToken(token)))
                } else if try row.value("free") {
                    round.free.append(shard)
                }
            }
            return round
        }
    }

    /// Takes free or expired shards for `worker`, each with a token one higher; others' fresh leases are left alone.
    ///
    /// Under a `lock_timeout`; before a take-over it ends backends of the old owner (by `application_name` = its worker id), which a process stopped
    /// in mid-COPY would otherwise keep locked for ever.
    ///
    /// Rows that another transaction holds are never waited for: where their lease has expired, the owner's backends are ended and the rows tried
    /// once more; what is still held then is left for the next round.
    public func acquireShards(_ shards: [Shard], worker: WorkerID, ttl: Duration) async throws(LedgerError) -> [ShardLease] {
        guard !shards.isEmpty else { return [] }
        let wanted = PostgresParameter.int32s(shards.map { Int32(clamping: $0) })
        let name = PostgresParameter.text(worker.description)
        return try await mapped("acquire shards") {
            try await pool.withConnection { connection in
                let answers = try await connection.pipeline([
                    PostgresStatement(LeaseSQL.acquireShards, [wanted, name, .int64(ttl.milliseconds)]),
                    PostgresStatement(LeaseSQL.stuckShards, [wanted, name]),
                ])
                var rows = Array(answers[0])
                if !answers[1].isEmpty {
                    try await Self.endBackends(of: answers[1], on: connection)
                    let taken = Set(try rows.map { try $0.value("shard", as: Int32.self) })
                    let left = shards.map { Int32(clamping: $0) }.filter { !taken.contains($0) }
                    rows += try await connection.query(LeaseSQL.acquireShards, [.int32s(left), name, .int64(ttl.milliseconds)])
                }
                return try rows.map { row in
                    ShardLease(shard: Int(try row.value("shard", as: Int32.self)), token: FencingToken(try row.value("token")))
                }.sorted { $0.shard < $1.shard }
            }
        }
    }

    /// Ends the sessions of owners whose lease has expired while a transaction of theirs goes on.
    static func endBackends(of owners: PostgresRows, on connection: PostgresConnection) async throws {
        let names = try owners.map { try $0.optional("owner", as: String.self) }
        _ = try await connection.query(LeaseSQL.endBackends, [.texts(names)])
    }

    /// Gives shards back (owner null, expired), only where the token still matches.
    public func releaseShards(_ leases: [ShardLease]) async throws(LedgerError) {
        guard !leases.isEmpty else { return }
        try await mapped("release shards") {
            _ = try await pool.query(
                LeaseSQL.releaseShards, [.int32s(leases.map { Int32(clamping: $0.shard) }), .int64s(leases.map(\.token.value))])
        }
    }

    /// Removes the worker's heartbeat, at the end of a graceful shutdown.
    public func leave(worker: WorkerID) async throws(LedgerError) {
        try await mapped("leave") { _ = try await pool.query(LeaseSQL.leaveWorker, [.text(worker.description)]) }
    }

    /// Marks a shard halted with a reason, or well again (`reason` nil), fenced. Ingesters read it with ``haltedShards()``.
    public func setHalted(_ lease: ShardLease, reason: String?) async throws(LedgerError) {
        try await mapped("halt shard \(lease.shard)") {
            let rows = try await pool.query(
                LeaseSQL.haltShard, [.int32(Int32(clamping: lease.shard)), .int64(lease.token.value), .text(reason?.storable)])
            guard rows.affectedRows == 1 else { throw LedgerError.fenced("halt shard \(lease.shard)") }
        }
    }

    public func haltedShards() async throws(LedgerError) -> [Shard: String] {
        try await mapped("halted shards") {
            var halted: [Shard: String] = [:]
            for row in try await pool.query(LeaseSQL.haltedShards) {
                halted[Int(try row.value("shard", as: Int32.self))] = try row.value("halted_reason", as: String.self)
            }
            return halted
        }
    }
}
