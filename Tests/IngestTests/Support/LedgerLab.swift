import Broker
import Events
import Flow
import Ledger
import Logging
import PostgresClient
import RedisClient
import Synchronization
import TestSupport
import Testing

@testable import Ingest

/// Ingesters on a real Redis and a real Postgres, with a worker that follows sessions and commits offsets and watermarks, fenced.
struct LedgerLab: Sendable {
    let lab: IngestLab
    let ledger: Ledger
    let streams: WorkStreams
    let redis: RedisClient
    /// How often each number was applied.
    let applied: Counts

    /// Shared by the worker's shards, asked for by the test.
    final class Counts: Sendable {
        private let counts = Mutex<[Int64: Int]>([:])
        func add(_ numbers: [Int64]) { counts.withLock { counts in numbers.forEach { counts[$0, default: 0] += 1 } } }
        var all: [Int64: Int] { counts.withLock { $0 } }
    }

    var upstream: UpstreamName { UpstreamName(kind: .firehose, host: lab.host) }

    static func run(
        redisURL: String, shards: Int = 4, change: @escaping @Sendable (inout FeedIngesterConfiguration) -> Void = { _ in },
        _ body: @escaping @Sendable (LedgerLab) async throws -> Void
    ) async throws {
        let schema = RandomName.schema()
        let pool = try await SharedServers.pool(schema: schema, name: "ingest-test")
        let redis = RedisClient(try await SharedServers.redis(url: redisURL), logger: SharedServers.quietLogger)
        let streams = WorkStreams(redis: redis, keys: StreamKeys(prefix: RandomName.prefix()), shards: ShardMap(count: shards))
        let ledger = Ledger(pool: pool, schema: schema)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await pool.run() }
            try await ledger.migrate(shards: streams.shards) { _ in }
            let worker = WorkerID("test-worker")
            let leases = try await ledger.acquireShards(Array(0..<shards), worker: worker, ttl: .seconds(3_600))
            try await IngestLab.run(shards: shards, streams: streams, ledger: ledger, change: change) { lab in
                let own = LedgerLab(lab: lab, ledger: ledger, streams: streams, redis: redis, applied: Counts())
                try await withThrowingTaskGroup(of: Void.self) { workers in
                    for lease in leases { workers.addTask { await own.work(lease) } }
                    try await body(own)
                    workers.cancelAll()
                }
            }
            _ = try await pool.query("DROP SCHEMA \(schema) CASCADE", [])
            group.cancelAll()
        }
        await redis.shutDown()
    }

    /// Reads one shard as a worker does: what a batch changes is committed before the next read.
    private func work(_ lease: ShardLease) async {
        var position = EntryID.zero
        var tracker: SessionTracker?
        while !Task.isCancelled {
            do {
                try await streams.withReader(of: lease.shard) { reader in
                    while !Task.isCancelled {
                        let entries = try await reader.read(after: position, count: 500, block: .milliseconds(20))
                        guard let last = entries.last else { continue }
                        if tracker == nil, case .at(let baseline) = try await ledger.resumePosition(upstream) {
                            tracker = SessionTracker(state: SessionTracker.State(watermark: baseline))
                        }
                        try await commit(entries, through: last.id, lease, &tracker)
                        position = last.id
                        try await streams.mirror(lease.shard, committed: position, trimBelow: position)
                    }
                }
            } catch is BrokerError {
                continue
            } catch {
                if !Task.isCancelled { Issue.record("the test's worker failed: \(error)") }
                return
            }
        }
    }

    private func commit(_ entries: [ReadEntry], through: EntryID, _ lease: ShardLease, _ tracker: inout SessionTracker?) async throws {
        var batch = ShardBatch(lease: lease)
        batch.offset = through
        var numbers: [Int64] = []
        for case .entry(let entry) in entries.map(\.content) {
            switch tracker?.received(entry) {
            case .apply: numbers.append(entry.position.seq)
            case .hole(let session, _, _), .unopened(let session), .shed(let session): batch.rewinds.append((upstream, session))
            case .opened, .barrier, .duplicate, .stale, nil: break
            }
        }
        if let state = tracker?.state {
            batch.watermarks[upstream] = state.watermark
            batch.sessions = state.sessions.map { SessionProgress(upstream: upstream, session: $0.number, expectedN: $0.expectedN) }
        }
        _ = try await ledger.commit(batch)
        applied.add(numbers)
    }

    /// Waits for a committed watermark; the suite's time limit is its bound.
    func committed(_ seq: Int64) async throws {
        while try await ledger.resumePosition(upstream) != .at(Position(epoch: 0, seq: seq)) { try Task.checkCancellation() }
    }
}
