internal import Events
internal import PostgresClient

/// The changes of tracked repositories as statements. Rows that enumerators and fetchers write too come in order of DID.
extension ShardBatchStatements {
    /// How long what is applied may take to its next entry before it is fetched again.
    static let attemptDeadline: Duration = .seconds(120)

    static func tracked(_ changes: TrackedChanges, shard: PostgresParameter) -> [PostgresStatement] {
        if changes.isEmpty { return [] }
        return records(changes, shard) + snapshots(changes, shard) + jobs(changes, shard) + requests(changes, shard)
    }

    private static func records(_ changes: TrackedChanges, _ shard: PostgresParameter) -> [PostgresStatement] {
        var statements: [PostgresStatement] = []
        if !changes.recordsDropped.isEmpty {
            statements.append(PostgresStatement(SnapshotSQL.dropRecords, [shard, .texts(changes.recordsDropped.map(\.storable))]))
        }
        let gone = changes.records.filter { $0.cid == nil }
        if !gone.isEmpty {
            statements.append(
                PostgresStatement(SnapshotSQL.commitRecordsGone, [shard, .texts(gone.map(\.did.storable)), .texts(gone.map(\.path.storable))]))
        }
        let kept = changes.records.filter { $0.cid != nil }
        if !kept.isEmpty {
            statements.append(
                PostgresStatement(
                    SnapshotSQL.commitRecords,
                    [shard, .texts(kept.map(\.did.storable)), .texts(kept.map(\.path.storable)), .byteas(kept.map { $0.cid ?? [] })]))
        }
        return statements
    }

    private static func snapshots(_ changes: TrackedChanges, _ shard: PostgresParameter) -> [PostgresStatement] {
        var statements: [PostgresStatement] = []
        if !changes.snapshotsDropped.isEmpty {
            statements.append(PostgresStatement(SnapshotSQL.dropSnapshots, [shard, .texts(changes.snapshotsDropped.map(\.storable))]))
        }
        let rows = changes.snapshots
        if !rows.isEmpty {
            statements.append(
                PostgresStatement(
                    SnapshotSQL.commitSnapshots,
                    [
                        shard, .texts(rows.map(\.did.storable)), .int64s(rows.map(\.attempt)), .bools(rows.map(\.isOpen)), .int64s(rows.map(\.nextN)),
                        .texts(rows.map(\.lastKey.storable)), .int64s(rows.map(\.count)), .texts(rows.map(\.rev.storable)), .byteas(rows.map(\.data)),
                        .texts(rows.map(\.host.storable)),
                    ]))
        }
        return statements
    }

    /// Ends before wants: what ends here and is wanted again in the same batch must wait again.
    private static func jobs(_ changes: TrackedChanges, _ shard: PostgresParameter) -> [PostgresStatement] {
        var statements: [PostgresStatement] = []
        let ended = changes.ended.sorted { $0.did < $1.did }
        if !ended.isEmpty {
            statements.append(
                PostgresStatement(
                    SnapshotSQL.endAttempts,
                    [
                        shard, .texts(ended.map(\.did.storable)), .int64s(ended.map(\.attempt)), .texts(ended.map(\.outcome.rawValue)),
                        .texts(ended.map(\.error.storable)), .int64s(ended.map { $0.retryAfter.milliseconds }),
                    ]))
        }
        let wanted = changes.wanted
        if !wanted.isEmpty {
            statements.append(
                PostgresStatement(SnapshotSQL.wantSnapshots, [shard, .texts(wanted.map(\.did.storable)), .texts(wanted.map(\.reason.storable))]))
        }
        let renewed = changes.renewed.sorted { $0.key < $1.key }
        if !renewed.isEmpty {
            statements.append(
                PostgresStatement(
                    SnapshotSQL.renewAttempts,
                    [.texts(renewed.map(\.key.storable)), .int64s(renewed.map(\.value)), .int64(attemptDeadline.milliseconds)]))
        }
        return statements
    }

    private static func requests(_ changes: TrackedChanges, _ shard: PostgresParameter) -> [PostgresStatement] {
        var statements: [PostgresStatement] = []
        if !changes.heldDropped.isEmpty {
            statements.append(PostgresStatement(SnapshotSQL.dropHeld, [shard, .texts(changes.heldDropped.map(\.storable))]))
        }
        if !changes.requestsDone.isEmpty {
            statements.append(
                PostgresStatement(
                    SnapshotSQL.dropRequests,
                    [shard, .texts(changes.requestsDone.map(\.did.storable)), .texts(changes.requestsDone.map(\.action.rawValue))]))
        }
        return statements
    }
}
