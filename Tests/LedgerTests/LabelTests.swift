import Events
import PostgresClient
import TestSupport
import Testing

@testable import Ledger

@Suite(.timeLimit(.minutes(10))) struct LedgerLabelTests {
    private static func label(
        _ val: String = "spam", on subject: UInt8 = 1, neg: Bool = false, seq: Int64 = 1, expiresAt: WallTime? = nil, src: String = "did:plc:l"
    ) -> StoredLabel {
        StoredLabel(
            key: .init(subject: [UInt8](repeating: subject, count: 32), label: Array("\(src) \(val)".utf8)), src: src,
            uri: "at://did:plc:a/\(subject)", cid: "", val: val, neg: neg, cts: "2026-01-01T00:00:00Z",
            createdAt: WallTime(microseconds: 1_767_225_600_000_000), exp: expiresAt == nil ? "" : "an end", expiresAt: expiresAt, ver: nil,
            signature: .valid, host: "labeler.example", position: Position(epoch: 0, seq: seq), place: 0)
    }

    private static func event(_ number: Int) -> LogEvent {
        LogEvent(run: .labels(0), seq: 0, kind: .label, did: "did:plc:\(number)", body: Array("{}".utf8))
    }

    @Test func `a batch of labels commits into the log, the position and the watermarks of labels, beside the firehose's`() async throws {
        let test = try await TestLedger.make()
        let lease = try await test.lease()
        let labeler = UpstreamName(kind: .labeler, host: "labeler.example")
        let upstream = try #require(try await test.ledger.acquireUpstream(labeler, worker: test.worker, ttl: TestLedger.ttl))
        let session = try await test.ledger.openSession(upstream, from: Position(epoch: 0, seq: 0), gap: nil)
        var batch = ShardBatch(lease: lease, log: .labels)
        batch.events = [Self.event(1), Self.event(2)]
        batch.offset = EntryID(milliseconds: 5, sequence: 0)
        batch.sessions = [SessionProgress(upstream: labeler, session: session, expectedN: 3)]
        batch.watermarks = [labeler: Position(epoch: 0, seq: 9)]
        batch.labels = [Self.label(), Self.label("rude", neg: true)]
        #expect(try await test.ledger.commit(batch).seqs == 1..<3)

        let labels = try await test.ledger.shardState(lease, log: .labels)
        #expect(labels.offset == batch.offset && labels.lastSeq == 2 && labels.watermarks == batch.watermarks && labels.sessions == batch.sessions)
        let firehose = try await test.ledger.shardState(lease)
        #expect(firehose.offset == .zero && firehose.lastSeq == 0 && firehose.watermarks.isEmpty && firehose.sessions.isEmpty)
        #expect(try await test.ledger.run(.labels(0))?.lastSeq == 2)
        #expect(try await test.ledger.claimOutbox(sink: "outlet", publisher: test.worker, ttl: .seconds(60), limit: 9).map(\.run) == [.labels(0)])
        let status = try await test.ledger.status().shards[0]
        #expect(status.lastSeq == 0 && status.labels.lastSeq == 2 && status.labels.offset == batch.offset && status.labels.nextSeq == 1)

        // An offset that turns back is our own corruption, in this log as in the other.
        batch.offset = EntryID(milliseconds: 4, sequence: 0)
        #expect(await failure { _ = try await test.ledger.commit(batch) }?.code == .corrupt)
        try await test.expireShards()
        let other = try await test.other("b")
        _ = try await other.ledger.acquireShards([0], worker: other.worker, ttl: TestLedger.ttl)
        #expect(await failure { _ = try await test.ledger.commit(batch) }?.code == .fenced)
        #expect(await failure { _ = try await test.ledger.shardState(lease, log: .labels) }?.code == .fenced)
        await other.ledger.pool.close()
        try await test.end()
    }

    @Test func `labels are kept as last said, and those stand that are neither withdrawn nor ended`() async throws {
        let test = try await TestLedger.make()
        let lease = try await test.lease(2)
        var batch = ShardBatch(lease: lease, log: .labels)
        let far = WallTime(microseconds: 32_472_144_000_000_000)
        batch.labels = [
            Self.label("spam", expiresAt: far), Self.label("old", expiresAt: WallTime(microseconds: 1)), Self.label("rude"),
            Self.label("spam", on: 2), Self.label("spam", src: "did:plc:m"),
        ]
        _ = try await test.ledger.commit(batch)
        batch.labels = [Self.label("rude", neg: true, seq: 2), Self.label("spam", on: 2, seq: 3)]
        _ = try await test.ledger.commit(batch)
        let keys = [Self.label().key, Self.label("rude").key, Self.label("none").key]
        let known = try await test.ledger.labels(shard: 2, keys: keys)
        #expect(known == [keys[0]: Self.label("spam", expiresAt: far), keys[1]: Self.label("rude", neg: true, seq: 2)])
        #expect(try await test.ledger.labels(shard: 1, keys: keys).isEmpty)

        let subjects = [LabelSubject(shard: 2, subject: Self.label().key.subject), LabelSubject(shard: 2, subject: Self.label(on: 2).key.subject)]
        let all = try await test.ledger.currentLabels(of: subjects, sources: nil, limit: 10)
        #expect(
            all.map { "\($0.uri) \($0.src) \($0.val)" } == [
                "at://did:plc:a/1 did:plc:l spam", "at://did:plc:a/1 did:plc:m spam", "at://did:plc:a/2 did:plc:l spam",
            ])
        #expect(try await test.ledger.currentLabels(of: subjects, sources: ["did:plc:m"], limit: 10).count == 1)
        #expect(try await test.ledger.currentLabels(of: subjects, sources: nil, limit: 2).count == 2)
        #expect(try await test.ledger.currentLabels(of: [], sources: nil, limit: 2).isEmpty)
        try await test.end()
    }

    @Test func `held labels come back by source and upstream in the order in which they were held`() async throws {
        let test = try await TestLedger.make()
        let lease = try await test.lease()
        let now = WallTime(microseconds: 1_767_225_600_000_000)
        func held(_ src: String, _ host: String, _ seq: Int64) -> HeldLabel {
            HeldLabel(
                src: src, host: host, session: 1, position: Position(epoch: 1, seq: seq), place: 2, label: [UInt8(seq), 0], heldSince: now,
                dueAt: WallTime(microseconds: now.microseconds + seq))
        }
        var batch = ShardBatch(lease: lease, log: .labels)
        batch.heldLabels = [held("s", "a", 9), held("s", "a", 3), held("s", "b", 4), held("t", "a", 5)]
        _ = try await test.ledger.commit(batch)
        let queue = HeldLabelQueue(src: "s", host: "a")
        var rows = try await test.ledger.heldLabels(shard: 0, queue, limit: 10)
        #expect(rows.map(\.position.seq) == [9, 3] && rows.allSatisfy { $0.id > 0 && $0.place == 2 && $0.attempts == 0 && $0.queue == queue })
        #expect(try await test.ledger.heldLabels(shard: 0, queue, limit: 1).map(\.position.seq) == [9])
        let queues = try await test.ledger.heldLabelQueues(shard: 0)
        #expect(queues.first { $0.queue == queue }.map { [$0.count, Int($0.dueAt.microseconds - now.microseconds)] } == [2, 3])
        #expect(queues.count == 3)

        batch.heldLabels = []
        batch.releasedLabels = [rows[0].id]
        batch.postponedLabels = [(rows[1].id, WallTime(microseconds: now.microseconds + 50))]
        _ = try await test.ledger.commit(batch)
        rows = try await test.ledger.heldLabels(shard: 0, queue, limit: 10)
        #expect(rows.map(\.attempts) == [1] && rows.map(\.dueAt.microseconds) == [now.microseconds + 50])
        try await test.end()
    }

    @Test func `a database of before gets the logs of labels, once, and keeps what it has`() async throws {
        let schema = RandomName.schema()
        let worker = WorkerID(schema)
        let ledger = try await TestLedger.ledger(schema, worker)
        // As the program before labels migrated it.
        let before = Migration.all.filter { $0.name < "m003" }
        let pool = try await TestLedger.pool(schema, WorkerID("\(schema)-look"))
        try await ledger.migrate(shards: ShardMap(count: 3), by: before + [Self.noLabels]) { _ in }
        try await pool.execute("DROP FUNCTION make_label_logs; DELETE FROM migrations WHERE name = 'm002b_none'")
        _ = try await ledger.append([TestLedger.event(1)], run: .firehose(1))
        for _ in 0..<2 { try await ledger.migrate(shards: ShardMap(count: 3)) { _ in } }
        #expect(try await ledger.runs(state: .started, kind: "labels", after: nil, limit: 10).map(\.id) == (0..<3).map(RunID.labels))
        #expect(try await ledger.run(.labels(2))?.nextSeq == ["outlet": 1])
        #expect(try await ledger.run(.firehose(1))?.lastSeq == 1)
        let lease = try #require(try await ledger.acquireShards([2], worker: worker, ttl: TestLedger.ttl).first)
        #expect(try await ledger.shardState(lease, log: .labels).offset == .zero)
        await ledger.pool.close()
        try await pool.execute("DROP SCHEMA \(schema) CASCADE")
        await pool.close()
    }

    /// What the step that fixes the number of shards calls, doing nothing.
    private static let noLabels = Migration(
        name: "m002b_none", text: Array("CREATE FUNCTION make_label_logs() RETURNS void LANGUAGE sql AS 'SELECT'".utf8))

    @Test func `the address of an upstream's last session is kept, and a session that tells none leaves it`() async throws {
        let test = try await TestLedger.make()
        let name = UpstreamName(kind: .labeler, host: "did:plc:l")
        let lease = try #require(try await test.ledger.acquireUpstream(name, worker: test.worker, ttl: TestLedger.ttl))
        #expect(try await test.ledger.endpoint(of: name) == nil)
        for (endpoint, kept) in [("wss://a.example", "wss://a.example"), ("", "wss://a.example"), ("ws://b.example", "ws://b.example")] {
            _ = try await test.ledger.openSession(lease, from: Position(epoch: 0, seq: 0), gap: nil, endpoint: endpoint)
            #expect(try await test.ledger.endpoint(of: name) == kept)
        }
        try await test.end()
    }

    @Test func `the two logs of a shard commit side by side, whatever they refuse`() async throws {
        let test = try await TestLedger.make()
        let lease = try await test.lease()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for log in LiveLog.allCases {
                let ledger = test.ledger
                group.addTask {
                    for number in 1...40 {
                        var batch = ShardBatch(lease: lease, log: log)
                        batch.offset = EntryID(milliseconds: UInt64(number), sequence: 0)
                        let reasons = ["c", "a", "b", "e", "d"]
                        batch.refused = (0..<60).map { index in
                            let entry = UpstreamEntry(host: "h", session: 1, n: 1, position: Position(epoch: 0, seq: 1), kind: .malformed)
                            return RefusedMessage(reason: reasons[(index + number) % 5], detail: "", entry: entry)
                        }
                        _ = try await ledger.commit(batch)
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try await test.ledger.status().refused.values.reduce(0, +) == 4_800)
        // What one left to the other is pruned by its next batch.
        #expect(try await test.number("SELECT count(*) FROM refused") <= 256 + 120)
        try await test.end()
    }
}
