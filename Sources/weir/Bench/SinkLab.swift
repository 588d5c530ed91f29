import Events
import Fleet
import Ledger
import Logging
import Outbox
import PostgresClient
import RedisClient
import ServiceLifecycle

/// Runs with events in a log of the bench's own, and a worker's sinks to deliver them.
struct SinkLab: Sendable {
    let ledger: Ledger
    let pool: PostgresPool
    let redis: RedisClient
    private let url: String
    let log: Logger

    static let worker = WorkerID("sink-bench")

    static func run<Value: Sendable>(
        _ context: BenchContext, _ body: @escaping @Sendable (SinkLab) async throws -> Value
    ) async throws -> Value {
        try await BenchLab.run(context) { servers in
            guard let url = servers.configuration.postgresURL, let redisURL = servers.configuration.redisURL else { throw Failure("no servers") }
            var postgres = try PostgresConfiguration(url: url, applicationName: worker.description)
            postgres.searchPath = [servers.configuration.postgresSchema]
            let pool = PostgresPool(configuration: postgres, logger: context.log)
            let redis = RedisClient(try RedisConfiguration(url: redisURL), logger: context.log)
            let lab = SinkLab(
                ledger: Ledger(pool: pool, schema: servers.configuration.postgresSchema), pool: pool, redis: redis, url: url, log: context.log)
            do {
                let value = try await body(lab)
                await lab.end()
                return value
            } catch {
                await lab.end()
                throw error
            }
        }
    }

    private func end() async {
        await redis.shutDown()
        await pool.close()
    }

    /// - Parameters: `keys`: different records of a run; more events change them again, each fifth time by a delete. `sinks`: of the runs, from their start.
    func append(runs: Int, events: Int, keys: Int, sinks: [String] = []) async throws {
        let body = Array((#"{"text":""# + String(repeating: "x", count: 200) + #""}"#).utf8)
        for number in 0..<runs {
            guard let run = RunID("bench/\(number)") else { continue }
            _ = try await ledger.createRun(run, kind: "bench", sinks: sinks)
            for start in stride(from: 0, to: events, by: 1000) {
                let batch = (start..<min(events, start + 1000)).map { index in
                    LogEvent(
                        run: run, seq: 0, kind: .record, did: "did:plc:account\(index % 50)", rev: "3k\(index)", collection: "app.bsky.feed.post",
                        rkey: "key\(index % keys)", action: index % 5 == 4 ? .delete : .update, cid: "bafy\(index)", host: "relay.bench",
                        time: "2026-01-01T00:00:00Z", body: index % 5 == 4 ? [] : body)
                }
                _ = try await ledger.append(batch, run: run)
            }
        }
        try await pool.execute("VACUUM ANALYZE run_events")
    }

    /// Seconds from the start of a worker until everything is delivered.
    func deliver(_ name: String, _ settings: [String: String]) async throws -> Double {
        guard let sink = SinkName(name) else { throw Failure("\(name) is no sink") }
        let all = settings.merging(["start": "earliest", "runs.kinds": "bench"]) { $1 }
        let definition = try SinkDefinition(name: sink, settings: SinkSettings(all.map { SinkSettings.Setting($0.key, [$0.value]) }))
        _ = try await ledger.storeSink(definition, origin: .api)
        let writers = TargetWriters(
            redis: redis, postgresURL: url, folder: "/tmp", allowsPrivateHosts: true, worker: Self.worker, logger: log)
        let service = SinkService(
            configuration: SinkServiceConfiguration(), store: ledger, writers: writers, worker: Self.worker, logger: log)
        let group = ServiceGroup(services: [service], logger: log)
        let clock = ContinuousClock()
        let begun = clock.now
        let seconds = try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            while try await ledger.sinkProgress([sink])[sink]?.pendingRuns != 0 { try await Task.sleep(for: .milliseconds(20)) }
            let seconds = (clock.now - begun) / .seconds(1)
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            return seconds
        }
        _ = try await ledger.removeSink(sink)
        return seconds
    }
}
