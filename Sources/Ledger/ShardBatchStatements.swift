internal import Events
internal import PostgresClient

/// A batch as statements. Those that touch rows of several shards come in one order, so that two batches never wait for each other in a ring.
enum ShardBatchStatements {
    /// Refused messages that a shard keeps for inspection, and how much of each frame.
    static let refusedKept: Int64 = 256
    static let refusedFrameBytesMax = 65_536

    /// The fence, the position, whose answer is where the shard stood, and where there are events the run's last seq.
    static func opening(_ batch: ShardBatch) -> [PostgresStatement] {
        var statements = [
            PostgresStatement(BatchSQL.commitFence, [shard(batch), .int64(batch.lease.token.value)]),
            PostgresStatement(batch.log.commitPosition, [shard(batch), .text(batch.offset?.description)]),
        ]
        if !batch.events.isEmpty { statements.append(RunAppend.raise(batch.run, by: batch.events.count)) }
        if let offset = batch.tracked.offset {
            statements.append(PostgresStatement(SnapshotSQL.commitBackfillPosition, [shard(batch), .text(offset.description)]))
        }
        return statements
    }

    /// Which of the answers to ``opening(_:)`` is the backfill position's.
    static func backfillAnswer(_ batch: ShardBatch) -> Int { batch.events.isEmpty ? 2 : 3 }

    /// Everything but the log's rows, their run, and what ``closing(_:)`` has.
    static func changes(_ batch: ShardBatch) -> [PostgresStatement] {
        repositories(batch) + LabelBatchStatements.changes(batch) + sessions(batch) + watermarks(batch) + held(batch) + refused(batch)
            + tracked(batch.tracked, shard: shard(batch))
    }

    /// Rows that all shards share, since all are told of the same loss: locked with the COMMIT only, so that no shard waits for another one's batch.
    static func closing(_ batch: ShardBatch) -> [PostgresStatement] { rewinds(batch) + gaps(batch) }

    private static func shard(_ batch: ShardBatch) -> PostgresParameter { .int32(Int32(clamping: batch.lease.shard)) }

    private static func repositories(_ batch: ShardBatch) -> [PostgresStatement] {
        guard !batch.repositories.isEmpty else { return [] }
        let states = batch.repositories.sorted { $0.did < $1.did }
        return [
            PostgresStatement(
                BatchSQL.commitRepositories,
                [
                    shard(batch), .texts(states.map(\.did.storable)), .texts(states.map(\.rev.storable)), .byteas(states.map(\.data)),
                    .texts(states.map(\.status.rawValue)), .texts(states.map(\.reason.storable)),
                    .timestamps(states.map { $0.identityTime.map { PostgresTimestamp($0) } }),
                    .timestamps(states.map { $0.accountTime.map { PostgresTimestamp($0) } }),
                ])
        ]
    }

    private static func sessions(_ batch: ShardBatch) -> [PostgresStatement] {
        guard !batch.sessions.isEmpty else { return [] }
        let names = batch.sessions.map(\.upstream)
        return [
            PostgresStatement(
                BatchSQL.commitSessions,
                [
                    shard(batch), .texts(names.map(\.kind.rawValue)), .texts(names.map(\.host)), .int64s(batch.sessions.map(\.session)),
                    .int64s(batch.sessions.map(\.expectedN)), .bools(batch.sessions.map(\.broken)),
                ])
        ]
    }

    private static func watermarks(_ batch: ShardBatch) -> [PostgresStatement] {
        guard !batch.watermarks.isEmpty else { return [] }
        let watermarks = Array(batch.watermarks)
        return [
            PostgresStatement(
                BatchSQL.commitWatermarks,
                [
                    shard(batch), .texts(watermarks.map(\.key.kind.rawValue)), .texts(watermarks.map(\.key.host)),
                    .int32s(watermarks.map(\.value.epoch)), .int64s(watermarks.map(\.value.seq)),
                ])
        ]
    }

    private static func held(_ batch: ShardBatch) -> [PostgresStatement] {
        var statements: [PostgresStatement] = []
        if !batch.released.isEmpty {
            statements.append(PostgresStatement(BatchSQL.commitReleased, [shard(batch), .int64s(batch.released)]))
        }
        if !batch.postponed.isEmpty {
            statements.append(
                PostgresStatement(
                    BatchSQL.commitPostponed,
                    [shard(batch), .int64s(batch.postponed.map(\.id)), .timestamps(batch.postponed.map { PostgresTimestamp($0.dueAt) })]))
        }
        guard !batch.held.isEmpty else { return statements }
        let held = batch.held
        let entries = held.map(\.entry)
        statements.append(
            PostgresStatement(
                BatchSQL.commitHeld,
                [
                    shard(batch), .texts(held.map(\.did.storable)), .texts(held.map(\.rev.storable)), .texts(held.map(\.reason.rawValue)),
                    .texts(entries.map(\.host.storable)), .int64s(entries.map(\.session)), .int64s(entries.map(\.n)),
                    .int32s(entries.map(\.position.epoch)), .int64s(entries.map(\.position.seq)), .texts(entries.map(\.kind.rawValue)),
                    .texts(entries.map(\.time.storable)), .byteas(entries.map(\.frame)), .timestamps(held.map { PostgresTimestamp($0.heldSince) }),
                    .timestamps(held.map { PostgresTimestamp($0.dueAt) }), .int32s(held.map { Int32(clamping: $0.attempts) }),
                ]))
        return statements
    }

    private static func refused(_ batch: ShardBatch) -> [PostgresStatement] {
        guard !batch.refused.isEmpty else { return [] }
        // In one order: a shard's two logs count in the same rows.
        let counts = Dictionary(batch.refused.map { ($0.reason.storable, Int64(1)) }, uniquingKeysWith: +).sorted { $0.key < $1.key }
        // What would be pruned at once is only counted.
        let kept = batch.refused.suffix(Int(refusedKept))
        let entries = kept.map(\.entry)
        return [
            PostgresStatement(
                BatchSQL.commitRefused,
                [
                    shard(batch), .texts(kept.map(\.reason.storable)), .texts(kept.map(\.detail.storable)), .texts(entries.map(\.host.storable)),
                    .int64s(entries.map(\.session)), .int32s(entries.map(\.position.epoch)), .int64s(entries.map(\.position.seq)),
                    .texts(entries.map(\.kind.rawValue)), .texts(entries.map(\.did.storable)), .texts(entries.map(\.rev.storable)),
                    .byteas(entries.map { Array($0.frame.prefix(refusedFrameBytesMax)) }), .int32s(entries.map { Int32(clamping: $0.frame.count) }),
                ]),
            PostgresStatement(BatchSQL.commitRefusedCounts, [shard(batch), .texts(counts.map(\.key)), .int64s(counts.map(\.value))]),
            PostgresStatement(BatchSQL.commitRefusedPrune, [shard(batch), .int64(refusedKept)]),
        ]
    }

    private static func rewinds(_ batch: ShardBatch) -> [PostgresStatement] {
        guard !batch.rewinds.isEmpty else { return [] }
        let rewinds = batch.rewinds.sorted { ($0.upstream.description, $0.session) < ($1.upstream.description, $1.session) }
        return [
            PostgresStatement(
                BatchSQL.commitRewinds,
                [
                    shard(batch), .texts(rewinds.map(\.upstream.kind.rawValue)), .texts(rewinds.map(\.upstream.host)),
                    .int64s(rewinds.map(\.session)),
                ])
        ]
    }

    private static func gaps(_ batch: ShardBatch) -> [PostgresStatement] {
        guard !batch.gaps.isEmpty else { return [] }
        return [
            PostgresStatement(
                BatchSQL.commitGaps,
                [
                    .texts(batch.gaps.map(\.upstream.kind.rawValue)), .texts(batch.gaps.map(\.upstream.host)),
                    .int32s(batch.gaps.map(\.gap.after.epoch)), .int64s(batch.gaps.map(\.gap.after.seq)),
                    .int32s(batch.gaps.map(\.gap.through.epoch)), .int64s(batch.gaps.map(\.gap.through.seq)),
                ])
        ]
    }
}
