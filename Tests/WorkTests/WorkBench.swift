import ATProto
import Broker
import Events
import Flow
import Ledger
import Logging
import NIOCore
import PostgresClient
import RedisClient
import TestSupport

@testable import Work

/// One shard between a real Redis and a real Postgres: what an ingester writes, and the steps of its owner, one at a time.
final class WorkBench {
    let schema: String
    let keys: StreamKeys
    let worker: WorkerID
    let pool: PostgresPool
    let look: PostgresPool
    let ledger: Ledger
    let redis: RedisClient
    let streams: WorkStreams
    let snapshots: SnapshotStreams
    let clock = TestClock()
    let labelKeys = TestLabelKeys()
    let context: WorkContext
    /// Of the last owner that was made.
    private(set) var trust: LeaseTrust?
    /// Made before anything works: a trigger has to wait for whoever writes.
    private let changes: TableChanges
    private var writers: [String: (writer: SessionWriter, lease: UpstreamLease)] = [:]

    private init(shards: Int, change: (inout WorkerConfiguration) -> Void) async throws {
        schema = RandomName.schema()
        keys = StreamKeys(prefix: RandomName.prefix())
        worker = WorkerID("\(schema)-a")
        pool = try await SharedServers.pool(schema: schema, name: worker.description)
        look = try await SharedServers.pool(schema: schema, name: "\(schema)-look")
        ledger = Ledger(pool: pool, schema: schema)
        redis = RedisClient(try await SharedServers.redis())
        streams = WorkStreams(redis: redis, keys: keys, shards: ShardMap(count: shards))
        snapshots = SnapshotStreams(redis: redis, keys: keys, shards: ShardMap(count: shards))
        try await ledger.migrate(shards: ShardMap(count: shards)) { _ in }
        changes = try await TableChanges(of: ["run_events", "shards"], schema: schema, pool: look)
        // Nobody answers there: what the ledger does not know stays pending.
        var configuration = WorkerConfiguration()
        configuration.identities.plcURL = "http://127.0.0.1:1"
        configuration.identities.batchWait = .milliseconds(1)
        change(&configuration)
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let identities = IdentityResolver(configuration: configuration.identities, ledger: ledger, clock: clock.clock, logger: logger)
        context = WorkContext(
            configuration: configuration, ledger: ledger, streams: streams, snapshots: configuration.tracking.isTracked ? snapshots : nil,
            turns: SnapshotTurns(SnapshotPace(), clock: clock.clock), identities: identities, labelKeys: labelKeys,
            labelSources: LabelSources(ledger: ledger, clock: clock.clock, logger: logger), totals: WorkTotals(),
            room: BatchRoom(bytes: configuration.roomBytes), clock: clock.clock, logger: logger)
    }

    static func with(
        shards: Int = 1, change: (inout WorkerConfiguration) -> Void = { _ in }, _ body: (WorkBench) async throws -> Void
    ) async throws {
        let bench = try await WorkBench(shards: shards, change: change)
        do { try await body(bench) } catch {
            try await bench.end()
            throw error
        }
        try await bench.end()
    }

    private func end() async throws {
        try await context.identities.close()
        await pool.close()
        try await look.execute("DROP SCHEMA \(schema) CASCADE")
        await look.close()
        for shard in 0..<streams.shards.count {
            let streams = [keys.firehoseLive(shard), keys.firehoseBackfill(shard), keys.labelLive(shard)]
            try await redis.send(RedisCommand("DEL", streams.map { .string($0) }))
        }
        await redis.shutDown()
    }

    // MARK: The ingester

    func open(_ host: String = "relay.example", from: Int64 = 0, epoch: Int32 = 1, gap: UpstreamEntry.Gap? = nil) async throws {
        let upstream = UpstreamName(kind: .firehose, host: host)
        var lease = writers[host]?.lease
        if lease == nil { lease = try await ledger.acquireUpstream(upstream, worker: worker, ttl: .seconds(3_600)) }
        guard let lease else { throw TestSupportError("\(host) was not free") }
        let from = Position(epoch: epoch, seq: from)
        let session = try await ledger.openSession(lease, from: from, gap: gap)
        writers[host] = (
            SessionWriter(host: host, session: session, from: from, gap: gap, shards: streams.shards.count), lease
        )
    }

    func session(_ host: String = "relay.example") -> Int64 { writers[host]?.writer.session ?? 0 }

    func take(_ frame: [UInt8], seq: Int64, host: String = "relay.example") {
        let entry = UpstreamEntry(frame: frame, seq: seq, host: host)
        writers[host]?.writer.take(entry, shard: streams.shards.shard(of: entry.did))
    }

    /// Appends what was taken; entries for which `isLost` is true are numbered and never written.
    func append(only host: String? = nil, losing isLost: (UpstreamEntry) -> Bool = { _ in false }) async throws {
        for host in host.map({ [$0] }) ?? writers.keys.sorted() {
            writers[host]?.writer.barrier()
            while let append = writers[host]?.writer.next() {
                let items = append.entries.filter { !isLost($0.entry) }.map { item in
                    var header = item.entry
                    header.frame = []
                    return AppendItem(shard: item.shard, entry: header, frame: item.entry.frame.isEmpty ? nil : ByteBuffer(bytes: item.entry.frame))
                }
                for result in await streams.append(items) {
                    guard case .written = result else { throw TestSupportError("not appended: \(result)") }
                }
                writers[host]?.writer.settle(append, .accepted)
            }
        }
    }

    // MARK: The owner

    func acquire(_ shard: Shard = 0) async throws -> ShardLease {
        guard let lease = try await ledger.acquireShards([shard], worker: worker, ttl: .seconds(3_600)).first else {
            throw TestSupportError("shard \(shard) was not free")
        }
        return lease
    }

    /// What a new owner starts with.
    func owner(_ lease: ShardLease) async throws -> ShardRun {
        let trust = LeaseTrust(timeToLive: .seconds(3_600))
        self.trust = trust
        trust.renewed(callStartedAt: clock.clock.monotonic())
        let state = try await ledger.shardState(lease)
        try await streams.prepare(lease.shard, committed: state.offset)
        let holds = try await ShardPipeline(lease: lease, context: context).heldTable()
        var run = ShardRun(lease: lease, state: state, holds: holds, context: context, trust: trust)
        run.backfillPosition = try await ledger.backfillOffset(lease)
        try await snapshots.prepare(lease.shard, committed: run.backfillPosition)
        return run
    }

    /// A fetcher's claim of the job of a DID: the number of its attempt.
    func claim(_ did: String) async throws -> Int64 {
        guard let job = try await ledger.claimJob(did, deadline: .seconds(3_600)) else { throw TestSupportError("no job of \(did) to be had") }
        return job.attempt
    }

    /// Everything of the shard's stream after `position`.
    func read(_ shard: Shard, after position: EntryID) async throws -> [ReadEntry] {
        try await streams.withReader(of: shard) { reader in try await reader.read(after: position, count: 1_000, block: .milliseconds(1)) }
    }

    /// What Redis says of a shard: the position that is shown, and the entries that stand in the stream, by id.
    struct Shown: Equatable {
        var position: EntryID
        var entries: [EntryID]
    }

    func shown(_ shard: Shard = 0) async throws -> Shown {
        let key = keys.firehoseLive(shard)
        var fields: [String: RedisValue] = [:]
        let parts = try await redis.send(RedisCommand("XINFO", "GROUPS", .string(key))).array().first?.array() ?? []
        for index in stride(from: 0, to: parts.count - 1, by: 2) { fields[try parts[index].string()] = parts[index + 1] }
        guard let position = EntryID(try fields["last-delivered-id"]?.string() ?? "") else { throw TestSupportError("\(key) shows no position") }
        return Shown(position: position, entries: try await streams.inspect(stream: key, id: nil, count: 10_000).map(\.id).reversed())
    }

    func know(_ accounts: TestAccount...) async throws {
        try await ledger.storeIdentities(
            accounts.map {
                StoredIdentity(did: $0.did, status: .found, signingKey: $0.key.verificationKey.didKey, fetchedAt: clock.clock.wall())
            })
    }

    // MARK: What came of it

    func events(_ shard: Shard = 0) async throws -> [Events.LogEvent] {
        try await ledger.events(run: .firehose(shard), after: 0, limit: 1_000, maxBytes: 1 << 20)
    }

    func number(_ sql: String) async throws -> Int64 { try await look.query(sql)[0].value(0) }

    /// Returns once that many events stand in the log of all shards.
    func untilLogged(_ count: Int64) async throws { try await until("SELECT count(*) FROM run_events", is: count) }

    /// Asks the server until the owner waits for a lock of that session: no commit tells of that. Throws where it does not for a minute.
    func untilBlocked(by backend: Int32) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        let blocked = "SELECT count(*) FROM pg_stat_activity WHERE application_name = '\(worker)' AND \(backend) = ANY (pg_blocking_pids(pid))"
        while try await number(blocked) == 0 {
            guard ContinuousClock.now < deadline else { throw TestSupportError("nothing of \(worker) waits for a lock of session \(backend)") }
        }
    }

    /// Returns once the statement, about the log or the shards, gives `value`. The suite's time limit bounds it.
    func until(_ sql: String, is value: Int64) async throws {
        try await changes.until { try await number(sql) == value }
    }
}
