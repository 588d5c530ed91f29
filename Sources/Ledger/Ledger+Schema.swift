public import Events
internal import PostgresClient

extension Ledger {
    public struct MigrationStep: Hashable, Sendable {
        public var name: String
        /// 1-based, of ``total``.
        public var number: Int
        public var total: Int
        /// False where it had been applied before.
        public var applied: Bool
    }

    /// Creates or updates the schema under an advisory lock; safe to run twice and from several processes at once.
    ///
    /// Writes `shards` at the first migration: rows of `shards`, runs `firehose/<k>` and `labels/<k>` (state started) and their `run_outbox` rows for the sink `outlet`.
    /// A different count later is an error (`other`, says both numbers), since keys would change shards.
    public func migrate(shards: ShardMap, progress: @Sendable (MigrationStep) -> Void) async throws(LedgerError) {
        try await migrate(shards: shards, by: Migration.all, progress: progress)
    }

    func migrate(shards: ShardMap, by migrations: [Migration], progress: @Sendable (MigrationStep) -> Void) async throws(LedgerError) {
        try await mapped("migrate") {
            guard pool.configuration.searchPath == [schema], Self.isSchemaName(schema) else {
                let message =
                    "the pool's search path is \(pool.configuration.searchPath), the schema \(schema) (1 to 40 of a-z 0-9 _, no digit first)"
                throw LedgerError(code: .other, message: message, place: "migrate")
            }
            let connection = try await PostgresConnection.connect(migrationConfiguration)
            do {
                for (index, migration) in migrations.enumerated() {
                    let applied = try await connection.transaction { connection in try await apply(migration, on: connection) }
                    progress(MigrationStep(name: migration.name, number: index + 1, total: migrations.count, applied: applied))
                }
                try await connection.transaction { connection in try await fix(shards, on: connection) }
                _ = try await connection.query(SchemaSQL.makePartitions, [.int32(3)])
            } catch {
                await connection.close()
                throw error
            }
            await connection.close()
        }
    }

    /// A migration may take long and wait for the one of another process: no time-outs but that of a dead server.
    private var migrationConfiguration: PostgresConfiguration {
        var configuration = pool.configuration
        configuration.statementTimeout = .zero
        configuration.lockTimeout = .zero
        configuration.silenceTimeout = .seconds(3600)
        return configuration
    }

    /// False where the migration was applied before; throws where it was applied with another text.
    private func apply(_ migration: Migration, on connection: PostgresConnection) async throws -> Bool {
        _ = try await connection.query(SchemaSQL.migrationLock, [.text(schema)])
        try await connection.execute("CREATE SCHEMA IF NOT EXISTS \(schema)")
        try await connection.execute(SchemaSQL.migrationTable)
        if let row = try await connection.query(SchemaSQL.migrationApplied, [.text(migration.name), .bytea(migration.text)]).first {
            guard try row.value("matches") else {
                let message = "\(migration.name) was applied with another text: this program and the one that migrated are of different builds"
                throw LedgerError(code: .notMigrated, message: message, place: "migrate")
            }
            return false
        }
        try await connection.execute(String(decoding: migration.text, as: UTF8.self))
        _ = try await connection.query(SchemaSQL.migrationRecord, [.text(migration.name), .bytea(migration.text)])
        return true
    }

    private func fix(_ shards: ShardMap, on connection: PostgresConnection) async throws {
        _ = try await connection.query(SchemaSQL.migrationLock, [.text(schema)])
        let fixed = try await connection.query(SchemaSQL.schemaVersion).first?.optional("shards", as: String.self)
        guard let fixed else {
            _ = try await connection.query(SchemaSQL.seedShards, [.int32(Int32(clamping: shards.count))])
            _ = try await connection.query(SchemaSQL.seedRepositories, [.int32(Int32(clamping: shards.count))])
            _ = try await connection.query(SchemaSQL.seedBackfill, [.int32(Int32(clamping: shards.count))])
            _ = try await connection.query(SchemaSQL.seedLabels)
            return
        }
        guard fixed == "\(shards.count)" else {
            let message = "the number of shards was fixed at \(fixed) and cannot become \(shards.count): keys would change shards"
            throw LedgerError(code: .other, message: message, place: "migrate")
        }
    }

    /// 1 to 40 of `a-z 0-9 _`, not beginning with a digit: such a name needs no quotes and leaves room for a channel's prefix.
    public static func isSchemaName(_ name: String) -> Bool {
        func isLetter(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "_") || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }
        func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
        guard let first = name.utf8.first, isLetter(first), name.utf8.count <= 40 else { return false }
        return name.utf8.allSatisfy { isLetter($0) || isDigit($0) }
    }

    /// The number of shards fixed at the first migration; throws `notMigrated` before it, and where the schema's version is not this program's.
    public func shardCount() async throws(LedgerError) -> ShardMap {
        try await mapped("shard count") {
            let row = try await pool.query(SchemaSQL.schemaVersion).first
            let names = try row?.array("names", of: String.self).compactMap { $0 } ?? []
            let expected = Migration.all.map(\.name).sorted()
            guard names == expected, let text = try row?.optional("shards", as: String.self), let count = Int(text) else {
                let message =
                    "the schema has \(names.joined(separator: " ")), this program needs \(expected.joined(separator: " ")): run weir migrate"
                throw LedgerError(code: .notMigrated, message: message, place: "shard count")
            }
            return ShardMap(count: count)
        }
    }

    /// Makes the log's daily partitions for today and `days` ahead; idempotent. Called by workers, days before they are needed.
    ///
    /// A new partition needs the default one's lock: whoever reads the log in a long transaction keeps it, and everybody else waits behind who waits for
    /// it. So it is waited for a moment only.
    /// - Throws: `contention` where it was not to be had.
    public func makePartitions(daysAhead: Int, lockTimeout: Duration = .milliseconds(200)) async throws(LedgerError) {
        try await mapped("make partitions") {
            try await pool.transaction { connection in
                try await connection.execute("SET LOCAL lock_timeout = \(max(1, lockTimeout.milliseconds))")
                _ = try await connection.query(SchemaSQL.makePartitions, [.int32(Int32(clamping: min(max(daysAhead, 0), 366)))])
            }
        }
    }
}
