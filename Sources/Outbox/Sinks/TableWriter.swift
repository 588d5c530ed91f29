import Events
import PostgresClient
import Synchronization

/// Writes events into a table of Postgres, exactly once: rows and the run's cursor commit together, in the target.
///
/// The cursor's row is locked first and decides what of the batch is new; so a repeat after a crash, and a worker that lost its lease and does not know
/// it yet, write nothing twice. A cursor that an operator set back has a higher epoch: in `append` the rows from there on are deleted and
/// written anew, in `upsert` the latest state of each key stands as it was and is overwritten by what is not older.
/// Table, cursors and schema are made where they are missing; a table that is there must have the columns.
final class TableWriter: SinkWriter {
    private let pool: PostgresPool
    private let sql: TableSQL
    private let mode: TableMode
    /// Whether the connections are this writer's own.
    private let closes: Bool
    private let isMade = Mutex(false)

    init(pool: PostgresPool, table: TableName, mode: TableMode, closes: Bool) {
        self.pool = pool
        self.mode = mode
        self.closes = closes
        sql = TableSQL(table, mode)
    }

    func deliver(_ batch: SinkBatch) async throws(DeliveryError) {
        do {
            if !isMade.withLock({ $0 }) { try await make() }
            try await pool.transaction { connection in try await write(batch, connection) }
        } catch let error as DeliveryError {
            throw error
        } catch let error as PostgresError {
            // Somebody dropped the table: it is made again.
            if error.code == .undefinedTable { isMade.withLock { $0 = false } }
            throw DeliveryError(Self.code(error), error.description)
        } catch {
            throw DeliveryError(.cancelled, "\(error)")
        }
    }

    func close() async { if closes { await pool.close() } }

    private func make() async throws {
        do {
            try await pool.execute(sql.create)
        } catch let error as PostgresError where [.duplicateTable, .duplicateObject, .duplicateSchema, .uniqueViolation].contains(error.code) {
            // Another worker made it at the same moment.
            try await pool.execute(sql.create)
        }
        isMade.withLock { $0 = true }
    }

    private func write(_ batch: SinkBatch, _ connection: PostgresConnection) async throws {
        let events = batch.items.map(\.event)
        if batch.isAlone { return try await write(alone: events, batch, connection) }
        let place: [PostgresParameter] = [.text(batch.sink.description), .text(batch.run.description), .int32(batch.epoch)]
        guard let row = try await connection.query(sql.lockCursor, place + [.int64(batch.from - 1)]).first else { return }
        let epoch: Int32 = try row.value("epoch")
        guard epoch <= batch.epoch else { throw DeliveryError.transient("the target knows a later rewind (\(epoch), not \(batch.epoch))") }
        let isRewound = epoch < batch.epoch
        let known: Int64 = isRewound ? batch.from - 1 : try row.value("seq")
        let new = events.filter { $0.seq > known }
        switch mode {
        case .append: try await append(new, batch, isRewound, connection)
        case .upsert: try await upsert(TableRows.latest(new), batch, connection)
        }
        try await connection.beforeCommit(PostgresStatement(sql.moveCursor, place + [.int64(max(known, batch.through))]))
    }

    private func write(alone events: [LogEvent], _ batch: SinkBatch, _ connection: PostgresConnection) async throws {
        guard mode == .append else { return try await upsert(TableRows.latest(events), batch, connection) }
        for event in events { _ = try await connection.query(sql.removeRow, [.text(batch.run.description), .int64(event.seq)]) }
        _ = try await connection.copyIn(sql.appendRows, TableRows.copy(events, run: batch.run))
    }

    private func append(_ events: [LogEvent], _ batch: SinkBatch, _ isRewound: Bool, _ connection: PostgresConnection) async throws {
        if isRewound { _ = try await connection.query(sql.rewindRows, [.text(batch.run.description), .int64(batch.from)]) }
        if !events.isEmpty { _ = try await connection.copyIn(sql.appendRows, TableRows.copy(events, run: batch.run)) }
    }

    private func upsert(_ events: [LogEvent], _ batch: SinkBatch, _ connection: PostgresConnection) async throws {
        let there = events.filter { $0.action != .delete }
        let gone = events.filter { $0.action == .delete }
        // In one round trip with the COMMIT.
        if !there.isEmpty { try await connection.beforeCommit(PostgresStatement(sql.upsertRows, TableRows.upsert(there, run: batch.run))) }
        if !gone.isEmpty { try await connection.beforeCommit(PostgresStatement(sql.deleteRows, TableRows.delete(gone, run: batch.run))) }
    }

    /// Whether the rows are at fault, or the way to the table: a table that lacks a column, or a right, is mended by an operator.
    private static func code(_ error: PostgresError) -> DeliveryError.Code {
        switch error.code {
        case .uniqueViolation, .foreignKeyViolation, .checkViolation, .notNullViolation, .exclusionViolation, .characterNotInRepertoire,
            .invalidTextRepresentation, .numericValueOutOfRange:
            .poison
        case .other(let state) where state.hasPrefix("22") || state == "54000" || state == "P0001": .poison
        case .cancelled: .cancelled
        default: .transient(retryAfter: nil)
        }
    }
}
