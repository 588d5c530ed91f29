public import Events
internal import PostgresClient

/// A day of the log, in a partition of its own.
public struct LogDay: Hashable, Sendable {
    /// Days since 1970-01-01, in UTC.
    public var day: Int
    public var partition: String
    public var bytes: Int64
    /// A sink, also a halted one, has not got all of it.
    public var isNeeded: Bool

    public init(day: Int, partition: String, bytes: Int64, isNeeded: Bool) {
        self.day = day
        self.partition = partition
        self.bytes = bytes
        self.isNeeded = isNeeded
    }
}

/// What one process of all does, under a lease.
public struct DutyLease: Hashable, Sendable {
    public var name: String
    public var token: FencingToken
    public var doneAt: WallTime?
}

extension Ledger {
    /// Takes a duty where nobody has it; nil where another process does. Made at the first call.
    public func takeDuty(_ name: String, owner: WorkerID, ttl: Duration) async throws(LedgerError) -> DutyLease? {
        try await mapped("take \(name)") {
            let rows = try await pool.query(UpkeepSQL.takeDuty, [.text(name), .text(owner.description), .int64(ttl.milliseconds)])
            return try rows.first.map {
                DutyLease(name: name, token: FencingToken(try $0.value("token")), doneAt: try $0.optionalTime("done_at"))
            }
        }
    }

    /// Gives a duty back that was done.
    public func endDuty(_ lease: DutyLease, note: String) async throws(LedgerError) {
        try await mapped("end \(lease.name)") {
            _ = try await pool.query(UpkeepSQL.endDuty, [.text(lease.name), .int64(lease.token.value), .text(note.storable)])
        }
    }

    /// The log's days before `day`, oldest first. What stands in the default partition is of no day.
    public func logDays(before day: Int) async throws(LedgerError) -> [LogDay] {
        try await mapped("days of the log") {
            try await pool.query(UpkeepSQL.logDays, [.date(PostgresDate(daysSince1970: Int32(clamping: day)))]).map { row in
                LogDay(
                    day: Int(try row.value("day", as: PostgresDate.self).daysSince1970), partition: try row.value("name"),
                    bytes: try row.value("bytes"),
                    isNeeded: try row.value("is_needed"))
            }
        }
    }

    /// Drops a day of the log: its terminal events are kept, sinks that still need it are moved behind it with a gap that is noted, and readers
    /// are told of one. Fenced by the duty.
    ///
    /// The partition is taken out and dropped in one transaction. That needs the parent's lock for a moment, which is waited for up to `lockTimeout`: whoever
    /// reads or writes the log meanwhile waits as long. (`DETACH CONCURRENTLY` Postgres refuses while there is a default partition.)
    /// - Throws: `contention` where the lock was not to be had, `fenced`; nothing is changed then but for copies of terminal events.
    public func dropDay(_ day: LogDay, under lease: DutyLease, lockTimeout: Duration, why: String) async throws(LedgerError) {
        guard Self.isSchemaName(day.partition) else {
            throw LedgerError(code: .other, message: "\(day.partition) is no partition's name", place: "drop a day")
        }
        let date = PostgresParameter.date(PostgresDate(daysSince1970: Int32(clamping: day.day)))
        try await mapped("drop \(day.partition)") {
            // The day is over: what is copied before the lock is all that there is.
            _ = try await pool.query(UpkeepSQL.keepEnds, [date])
            try await pool.transaction { connection in
                try await connection.execute("SET LOCAL lock_timeout = \(max(1, lockTimeout.milliseconds))")
                _ = try await connection.query(UpkeepSQL.holdDuty, [.text(lease.name), .int64(lease.token.value)])
                _ = try await connection.query(UpkeepSQL.passSinks, [date, .text(why.storable)])
                _ = try await connection.query(UpkeepSQL.forgetDay, [date])
                try await connection.execute("ALTER TABLE run_events DETACH PARTITION \(day.partition)")
                try await connection.execute("DROP TABLE \(day.partition)")
            }
        }
    }

    /// The least seq above `after` that the log still has of a run.
    public func firstSeq(run: RunID, after: Int64) async throws(LedgerError) -> Int64? {
        try await mapped("first seq of \(run)") {
            try await pool.query(UpkeepSQL.firstSeqAfter, [.text(run.description), .int64(after)]).first?.optional("seq")
        }
    }
}
