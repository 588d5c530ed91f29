import ATProto
import Broker
import Events
import Ledger
import Logging
import PostgresClient
import RedisClient
import ServiceLifecycle
import Synchronization
import TestSupport
import Work

@testable import Ingest

/// Scripted labelers, ingesters and a worker between a real Redis and a real Postgres.
struct LabelerLab: Sendable {
    /// A labeler that says of each subject in turn that it is so, and that it is not.
    final class Labeler: Sendable {
        let relay = ScriptedRelay()
        let did: String
        let key: SigningKey
        private let said = Mutex<[String: [Label]]>([:])

        init(_ number: UInt8) throws {
            did = "did:plc:" + String(repeating: "l", count: 23) + String(UnicodeScalar(UInt8(ascii: "a") + number))
            key = try SigningKey(number % 2 == 0 ? .k256 : .p256, secret: [UInt8](repeating: number + 1, count: 32))
        }

        /// Everything that was said of each subject, in order.
        var statements: [String: [Label]] { said.withLock { $0 } }

        /// Says the next thing of one of twelve subjects under each number.
        func publish(_ numbers: ClosedRange<Int64>) throws {
            let frames = try numbers.map { seq in
                let subject = "at://did:web:account\(seq % 12).test/app.bsky.feed.post/3k"
                let label = try said.withLock { said in
                    let count = said.values.reduce(0) { $0 + $1.count }
                    let label = try Label(
                        src: did, uri: subject, val: "spam", neg: (said[subject]?.count ?? 0) % 2 == 1,
                        cts: WallTime(microseconds: 1_767_225_600_000_000 + Int64(count) * 1_000).rfc3339
                    ).signed(by: key)
                    said[subject, default: []].append(label)
                    return label
                }
                return (seq, LabelsMessage(seq: seq, labels: [label]).frame())
            }
            relay.publish(frames: frames)
        }

        /// Says again, from the first number on, what stands of every subject; returns the last number.
        func restart() -> Int64 {
            relay.state.withLock { $0.greeting = { ($0 ?? 0) > 100 ? ErrorMessage(error: "FutureCursor").frame() : nil } }
            relay.restart()
            let latest = statements.sorted { $0.key < $1.key }.compactMap(\.value.last)
            relay.publish(frames: latest.enumerated().map { (Int64($0 + 1), LabelsMessage(seq: Int64($0 + 1), labels: [$1]).frame()) })
            return Int64(latest.count)
        }
    }

    let labelers: [Labeler]
    let hosts: [String]
    let configuration: FeedIngesterConfiguration
    let ledger: Ledger
    let redis: RedisClient
    let streams: WorkStreams
    let pool: PostgresPool
    let changes: TableChanges

    /// Runs a worker and `body`, over two labelers.
    static func run(redisURL: String, shards: Int = 4, _ body: @escaping @Sendable (LabelerLab) async throws -> Void) async throws {
        let labelers = [try Labeler(0), try Labeler(1)]
        try await WebSocketScript.serve { _, peer in
            try await labelers[0].relay.serve(&peer)
        } client: { first in
            try await WebSocketScript.serve { _, peer in
                try await labelers[1].relay.serve(&peer)
            } client: { second in
                try await run(labelers, ports: [first.port, second.port], redisURL: redisURL, shards: shards, body)
            }
        }
    }

    private static func run(
        _ labelers: [Labeler], ports: [Int], redisURL: String, shards: Int, _ body: @escaping @Sendable (LabelerLab) async throws -> Void
    ) async throws {
        var configuration = try IngestLab.configuration(port: ports[0])
        configuration.hosts = try ports.map { try WebSocketEndpoint("ws://127.0.0.1:\($0)") }
        configuration.start = .earliest
        configuration.futureCursor = .earliest
        configuration.leaseTimeToLive = .seconds(3)
        let schema = RandomName.schema()
        let pool = try await SharedServers.pool(schema: schema, name: "labeler-test")
        let redis = RedisClient(try await SharedServers.redis(url: redisURL), logger: SharedServers.quietLogger)
        let streams = WorkStreams(redis: redis, keys: StreamKeys(prefix: RandomName.prefix()), shards: ShardMap(count: shards))
        let ledger = Ledger(pool: pool, schema: schema)
        let complete = configuration
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await pool.run() }
            try await ledger.migrate(shards: streams.shards) { _ in }
            let lab = LabelerLab(
                labelers: labelers, hosts: ports.map { "127.0.0.1:\($0)" }, configuration: complete, ledger: ledger, redis: redis, streams: streams,
                pool: pool, changes: try await TableChanges(of: ["run_events", "watermarks", "upstreams"], schema: schema, pool: pool))
            // As if their documents had been fetched: nobody answers at the directory.
            try await ledger.storeLabelKeys(
                labelers.map { StoredLabelKey(did: $0.did, key: $0.key.verificationKey.didKey, fetchedAt: ProcessClock.wall) })
            try await lab.withWorker { try await body(lab) }
            _ = try await pool.query("DROP SCHEMA \(schema) CASCADE", [])
            group.cancelAll()
        }
        await redis.shutDown()
    }

    private func withWorker(_ body: @escaping @Sendable () async throws -> Void) async throws {
        var worker = WorkerConfiguration()
        worker.leaseTimeToLive = .seconds(60)
        worker.leaseRenewal = .milliseconds(200)
        worker.identities.plcURL = "http://127.0.0.1:1"
        worker.identities.batchWait = .milliseconds(1)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let service = WorkerService(configuration: worker, ledger: ledger, streams: streams, worker: WorkerID("labeler-test"), logger: logger)
        let services = ServiceGroup(services: [service], logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await services.run() }
            do { try await body() } catch {
                await services.triggerGracefulShutdown()
                throw error
            }
            await services.triggerGracefulShutdown()
            try await group.waitForAll()
        }
    }

    /// Runs a replica of the ingester while `body` runs, then ends it as a kill would.
    func withReplica(_ name: String, _ body: @escaping @Sendable () async throws -> Void) async throws {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let ingester = FeedIngester(
            .labels, configuration: configuration, ledger: ledger, streams: streams.on(.labels), worker: WorkerID(name), logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await ingester.run() }
            try await body()
            group.cancelAll()
        }
    }

    /// Waits for a labeler's committed watermark.
    func committed(_ index: Int, _ seq: Int64, epoch: Int32 = 0) async throws {
        let name = UpstreamName(kind: .labeler, host: hosts[index])
        try await changes.until { try await ledger.resumePosition(name) == .at(Position(epoch: epoch, seq: seq)) }
    }

    /// Waits until that many labels are logged.
    func logged(atLeast count: Int64) async throws {
        try await changes.until { try await pool.query("SELECT count(*) FROM run_events", []).first?.value(0, as: Int64.self) ?? 0 >= count }
    }

    /// What the log has of each labeler and subject: whether each statement was a withdrawal, and its time.
    func log() async throws -> [String: [String: [String]]] {
        var log: [String: [String: [String]]] = [:]
        for shard in 0..<streams.shards.count {
            let events = try await ledger.events(run: .labels(shard), after: 0, limit: 100_000, maxBytes: 1 << 28)
            for event in events {
                let body = try JSONValue(parsing: event.body)
                guard let src = body["src"]?.string, let uri = body["uri"]?.string, let cts = body["cts"]?.string else { continue }
                log[src, default: [:]][uri, default: []].append(cts)
            }
        }
        return log
    }

    /// The subjects of which a labeler's label stands.
    func standing(_ labeler: Labeler) async throws -> Set<String> {
        let subjects = labeler.statements.keys.map { uri in
            LabelSubject(
                shard: streams.shards.shard(of: Syntax.did(ofSubject: uri) ?? ""), subject: LabelIdentity.subject(uri).bytes)
        }
        return Set(try await ledger.currentLabels(of: subjects, sources: [labeler.did], limit: 1_000).map(\.uri))
    }
}
