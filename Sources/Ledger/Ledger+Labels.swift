public import Events
internal import PostgresClient

/// A subject whose labels are asked for: its digest, and the shard of its account.
public struct LabelSubject: Hashable, Sendable {
    public var shard: Shard
    public var subject: [UInt8]
    public init(shard: Shard, subject: [UInt8]) {
        self.shard = shard
        self.subject = subject
    }
}

extension Ledger {
    /// What was said last of those of `keys` that are known in the shard.
    public func labels(shard: Shard, keys: [StoredLabel.Key]) async throws(LedgerError) -> [StoredLabel.Key: StoredLabel] {
        guard !keys.isEmpty else { return [:] }
        return try await mapped("labels of shard \(shard)") {
            let rows = try await pool.query(
                LabelSQL.selectLabels, [.int32(Int32(clamping: shard)), .byteas(keys.map(\.subject)), .byteas(keys.map(\.label))])
            var found: [StoredLabel.Key: StoredLabel] = [:]
            for row in rows {
                let label = try Self.label(row)
                found[label.key] = label
            }
            return found
        }
    }

    /// The labels of some subjects that stand now, neither withdrawn nor expired; in order of subject, source and value, at most `limit`.
    ///
    /// - Parameter sources: only labels of these DIDs; nil: of all.
    public func currentLabels(of subjects: [LabelSubject], sources: [String]?, limit: Int) async throws(LedgerError) -> [StoredLabel] {
        guard !subjects.isEmpty else { return [] }
        return try await mapped("current labels") {
            let rows = try await pool.query(
                LabelSQL.currentLabels,
                [
                    .int32s(subjects.map { Int32(clamping: $0.shard) }), .byteas(subjects.map(\.subject)), sources.map { .texts($0) } ?? .null,
                    .int64(Int64(max(1, limit))),
                ])
            return try rows.map(Self.label)
        }
    }

    /// The labels of one source from one upstream that a shard has held longest, in the order in which they came; at most `limit`.
    public func heldLabels(shard: Shard, _ queue: HeldLabelQueue, limit: Int) async throws(LedgerError) -> [HeldLabel] {
        try await mapped("held labels of shard \(shard)") {
            let rows = try await pool.query(
                LabelSQL.selectHeld,
                [.int32(Int32(clamping: shard)), .text(queue.src.storable), .text(queue.host.storable), .int64(Int64(max(1, limit)))])
            return try rows.map { row in
                HeldLabel(
                    id: try row.value("id"), src: try row.value("src"), host: try row.value("host"), session: try row.value("session"),
                    position: Position(epoch: try row.value("epoch"), seq: try row.value("seq")),
                    place: Int(try row.value("place", as: Int32.self)), label: try row.value("label"), heldSince: try row.time("held_since"),
                    dueAt: try row.time("due_at"), attempts: Int(try row.value("attempts", as: Int32.self)))
            }
        }
    }

    /// Every queue of a shard, those held longest first, with its length and when it is due: what a new owner rebuilds its table from.
    public func heldLabelQueues(shard: Shard) async throws(LedgerError) -> [(queue: HeldLabelQueue, count: Int, dueAt: WallTime)] {
        try await mapped("held labels of shard \(shard)") {
            try await pool.query(LabelSQL.heldIndex, [.int32(Int32(clamping: shard))]).map { row in
                (
                    HeldLabelQueue(src: try row.value("src"), host: try row.value("host")), Int(try row.value("count", as: Int64.self)),
                    try row.time("due_at")
                )
            }
        }
    }

    private static func label(_ row: PostgresRow) throws -> StoredLabel {
        StoredLabel(
            key: StoredLabel.Key(subject: try row.value("subject"), label: try row.value("label")), src: try row.value("src"),
            uri: try row.value("uri"), cid: try row.value("cid"), val: try row.value("val"), neg: try row.value("neg"), cts: try row.value("cts"),
            createdAt: try row.time("created_at"), exp: try row.value("exp"), expiresAt: try row.optionalTime("expires_at"),
            ver: try row.optional("ver"), signature: try row.known("signature"), host: try row.value("host"),
            position: Position(epoch: try row.value("epoch"), seq: try row.value("seq")), place: Int(try row.value("place", as: Int32.self)))
    }
}
