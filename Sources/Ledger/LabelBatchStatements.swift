internal import Events
internal import PostgresClient

/// What a batch of labels changes, as statements: rows of its own shard only, so they wait for no other batch.
enum LabelBatchStatements {
    static func changes(_ batch: ShardBatch) -> [PostgresStatement] { labels(batch) + held(batch) }

    private static func shard(_ batch: ShardBatch) -> PostgresParameter { .int32(Int32(clamping: batch.lease.shard)) }

    private static func labels(_ batch: ShardBatch) -> [PostgresStatement] {
        guard !batch.labels.isEmpty else { return [] }
        let rows = batch.labels
        return [
            PostgresStatement(
                LabelSQL.commitLabels,
                [
                    shard(batch), .byteas(rows.map(\.key.subject)), .byteas(rows.map(\.key.label)), .texts(rows.map(\.src.storable)),
                    .texts(rows.map(\.uri.storable)), .texts(rows.map(\.cid.storable)), .texts(rows.map(\.val.storable)), .bools(rows.map(\.neg)),
                    .texts(rows.map(\.cts.storable)), .timestamps(rows.map { PostgresTimestamp($0.createdAt) }), .texts(rows.map(\.exp.storable)),
                    .timestamps(rows.map { $0.expiresAt.map { PostgresTimestamp($0) } }), .int64s(rows.map(\.ver)),
                    .texts(rows.map(\.signature.rawValue)), .texts(rows.map(\.host.storable)), .int32s(rows.map(\.position.epoch)),
                    .int64s(rows.map(\.position.seq)), .int32s(rows.map { Int32(clamping: $0.place) }),
                ])
        ]
    }

    private static func held(_ batch: ShardBatch) -> [PostgresStatement] {
        var statements: [PostgresStatement] = []
        if !batch.releasedLabels.isEmpty {
            statements.append(PostgresStatement(LabelSQL.commitReleased, [shard(batch), .int64s(batch.releasedLabels)]))
        }
        if !batch.postponedLabels.isEmpty {
            let postponed = batch.postponedLabels
            statements.append(
                PostgresStatement(
                    LabelSQL.commitPostponed,
                    [shard(batch), .int64s(postponed.map(\.id)), .timestamps(postponed.map { PostgresTimestamp($0.dueAt) })]))
        }
        guard !batch.heldLabels.isEmpty else { return statements }
        let held = batch.heldLabels
        statements.append(
            PostgresStatement(
                LabelSQL.commitHeld,
                [
                    shard(batch), .texts(held.map(\.src.storable)), .texts(held.map(\.host.storable)), .int64s(held.map(\.session)),
                    .int32s(held.map(\.position.epoch)), .int64s(held.map(\.position.seq)), .int32s(held.map { Int32(clamping: $0.place) }),
                    .byteas(held.map(\.label)), .timestamps(held.map { PostgresTimestamp($0.heldSince) }),
                    .timestamps(held.map { PostgresTimestamp($0.dueAt) }),
                ]))
        return statements
    }
}
