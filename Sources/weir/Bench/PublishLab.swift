import Broker
import Events
import Foundation
import Ledger
import Outbox
import PostgresClient
import RedisClient
import ServiceLifecycle

/// Runs with outlets in a log of the bench's own, and one worker's publisher.
struct PublishLab: Sendable {
    let sinks: SinkLab
    private let outlets: OutletStreams

    static let sink = PublisherConfiguration().sink

    init(_ sinks: SinkLab) {
        self.sinks = sinks
        outlets = OutletStreams(redis: sinks.redis, keys: StreamKeys(prefix: "publish-bench"))
    }

    static func ids(_ prefix: String, _ count: Int) throws -> [RunID] {
        try (0..<count).map { number in
            guard let run = RunID("\(prefix)/\(number)") else { throw Failure("\(prefix)/\(number) is no run") }
            return run
        }
    }

    /// Seconds that `body` takes beside a publisher, from before that is started.
    func publishing(_ body: () async throws -> Void) async throws -> Double {
        let publisher = PublisherService(
            configuration: PublisherConfiguration(), ledger: sinks.ledger, outlet: outlets, worker: SinkLab.worker, logger: sinks.log)
        let group = ServiceGroup(services: [publisher], logger: sinks.log)
        let begun = ContinuousClock.now
        async let running: Void = group.run()
        do { try await body() } catch {
            await group.triggerGracefulShutdown()
            try await running
            throw error
        }
        let seconds = (ContinuousClock.now - begun) / .seconds(1)
        await group.triggerGracefulShutdown()
        try await running
        return seconds
    }

    /// As if nothing had been published; the streams are gone.
    func forgetOutlets() async throws {
        try await sinks.redis.send(RedisCommand("FLUSHALL"))
        try await sinks.pool.execute("UPDATE run_outbox SET next_seq = 1")
    }

    func untilPublished() async throws {
        while try await sinks.pool.query("SELECT count(*) FROM run_outbox WHERE pending")[0].value(0, as: Int64.self) > 0 {
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// Seconds to write the same events without reading them first, by as many tasks as a publisher has.
    func bareSeconds(_ runs: [RunID], events: Int) async throws -> Double {
        let configuration = PublisherConfiguration()
        var batches: [[[LogEvent]]] = []
        for run in runs {
            let all = try await sinks.ledger.events(run: run, after: 0, limit: events, maxBytes: .max)
            batches.append(
                stride(from: 0, to: all.count, by: configuration.batchEvents).map { Array(all[$0..<min(all.count, $0 + configuration.batchEvents)]) })
        }
        let tasks = configuration.concurrency
        let begun = ContinuousClock.now
        try await withThrowingTaskGroup { [batches] group in
            for task in 0..<tasks {
                group.addTask {
                    for number in stride(from: task, to: batches.count, by: tasks) {
                        for batch in batches[number] {
                            _ = try await outlets.publish(batch, run: runs[number], lastSeq: Int64(events), keep: configuration.keepEntries)
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        return (ContinuousClock.now - begun) / .seconds(1)
    }

    // MARK: A steady stream

    private static func event(_ run: RunID, _ number: Int) -> LogEvent {
        LogEvent(
            run: run, seq: 0, kind: .record, did: "did:plc:bench\(number)", collection: "app.bench.event", rkey: "\(number)", action: .create,
            body: Array((#"{"text":""# + String(repeating: "x", count: 200) + #""}"#).utf8))
    }

    /// One event each append, to the runs in turn, by several tasks that keep to a common clock.
    func append(to runs: [RunID], perSecond: Int, for duration: Duration) async throws {
        let tasks = 4
        let events = Int(duration / .seconds(1)) * perSecond
        let begun = ContinuousClock.now
        try await withThrowingTaskGroup { group in
            for task in 0..<tasks {
                group.addTask {
                    for number in stride(from: task, to: events, by: tasks) {
                        let due = begun + .seconds(1) * number / perSecond
                        if ContinuousClock.now < due { try await Task.sleep(until: due, clock: .continuous) }
                        let run = runs[number % runs.count]
                        _ = try await sinks.ledger.append([Self.event(run, number)], run: run)
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    /// Milliseconds from each event's time in the log to its coming out of its outlet.
    func follow(_ runs: [RunID], events: Int) async throws -> [Double] {
        try await outlets.withFollower { follower in try await Self.lags(follower, runs, events) }
    }

    private static func lags(_ follower: OutletFollower, _ runs: [RunID], _ events: Int) async throws -> [Double] {
        var reading = LagReading(runs)
        let deadline = ContinuousClock.now + .seconds(120)
        while reading.lags.count < events {
            guard ContinuousClock.now < deadline else { throw Failure("only \(reading.lags.count) of \(events) events came") }
            reading.came(try await follower.read(after: reading.after, countPerRun: 1000, block: .milliseconds(500)))
        }
        return reading.lags
    }

    // MARK: Very many runs

    /// Runs of one event that is published; every other one has ended.
    func makePublishedRuns(_ count: Int) async throws {
        try await sinks.pool.execute(
            """
            INSERT INTO runs (id, kind, state, last_seq, last_event_at, last_day)
            SELECT 'published/' || i, 'bench', CASE i % 2 WHEN 0 THEN 'finished' ELSE 'started' END, 1, now(), current_date FROM generate_series(1, \(count)) i;
            INSERT INTO run_outbox (run, sink, next_seq, tail_seq) SELECT no, '\(Self.sink)', 2, 1 FROM runs WHERE last_seq = 1;
            ANALYZE runs, run_outbox
            """)
    }

    /// Seconds until what is appended to each of the runs is published and marked.
    func appendAndWait(_ runs: [RunID], events: Int, turn: Int) async throws -> Double {
        let begun = ContinuousClock.now
        try await withThrowingTaskGroup { group in
            for run in runs {
                group.addTask { _ = try await sinks.ledger.append((0..<events).map { Self.event(run, turn * events + $0) }, run: run) }
            }
            try await group.waitForAll()
        }
        try await untilPublished()
        let seconds = (ContinuousClock.now - begun) / .seconds(1)
        for run in runs {
            guard try await outlets.read(run: run, after: Int64(turn * events) - 1, count: 1).count == 1 else {
                throw Failure("\(run) is marked and not in its outlet")
            }
        }
        return seconds
    }
}

/// How far outlets were read, and how late each event came.
private struct LagReading {
    private(set) var after: [RunID: Int64] = [:]
    private(set) var lags: [Double] = []

    init(_ runs: [RunID]) {
        for run in runs { after[run] = 0 }
    }

    mutating func came(_ found: [RunID: [LogEvent]]) {
        let now = Date().timeIntervalSince1970 * 1000
        for (run, events) in found {
            for event in events {
                after[run] = event.seq
                lags.append(now - Double(event.loggedAt.microseconds) / 1000)
            }
        }
    }
}
