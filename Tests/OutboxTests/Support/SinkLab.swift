import Events
import Flow
import PostgresClient
import ServiceLifecycle
import TestSupport
import Testing

@testable import Ledger
@testable import Outbox

/// Workers with sinks on real servers, in a schema and under a prefix of a test's own.
struct SinkLab: Sendable {
    let stores: RealStores
    let watch = StoreWatch()
    let folder: String
    let postgresURL: String

    var ledger: Ledger { stores.ledger }
    var store: WatchedStore { WatchedStore(ledger: ledger, watch: watch) }
    /// For tables of sinks: beside those of the ledger, and gone with them.
    var schema: String { ledger.schema }

    static func with(_ body: (SinkLab) async throws -> Void) async throws {
        try await RealStores.with { stores in
            let lab = SinkLab(
                stores: stores, folder: try TestFolder.make("sinks"), postgresURL: try await SharedServers.postgresURL())
            try await body(lab)
        }
    }

    var configuration: SinkServiceConfiguration {
        var configuration = SinkServiceConfiguration()
        configuration.pollEvery = .milliseconds(20)
        configuration.lookEvery = .milliseconds(50)
        configuration.reportEvery = .milliseconds(100)
        return configuration
    }

    func writers(_ worker: WorkerID) -> TargetWriters {
        TargetWriters(
            redis: stores.redis, postgresURL: postgresURL, folder: folder, allowsPrivateHosts: true, worker: worker, logger: SharedServers.quietLogger
        )
    }

    func service(_ name: String = "a", _ configuration: SinkServiceConfiguration? = nil, writers: (any SinkWriters)? = nil) -> SinkService {
        let worker = WorkerID("\(schema)-\(name)")
        return SinkService(
            configuration: configuration ?? self.configuration, store: store, writers: writers ?? self.writers(worker), worker: worker,
            logger: SharedServers.quietLogger)
    }

    /// Runs workers beside the body, and ends them gracefully.
    func running(_ services: [SinkService], _ body: () async throws -> Void) async throws {
        let group = ServiceGroup(services: services, logger: SharedServers.quietLogger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            do {
                try await body()
            } catch {
                await group.triggerGracefulShutdown()
                throw error
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    func definition(_ name: String, _ settings: [String: String]) throws -> SinkDefinition {
        let all = ["start": "earliest", "retry.cap": "50ms", "breaker.recovery": "50ms"].merging(settings) { $1 }
        return try SinkDefinition(
            name: #require(SinkName(name)), settings: SinkSettings(all.map { SinkSettings.Setting($0.key, [$0.value]) }))
    }

    @discardableResult
    func add(_ name: String, _ settings: [String: String]) async throws -> SinkName {
        let definition = try definition(name, settings)
        _ = try await ledger.storeSink(definition, origin: .api)
        return definition.name
    }

    /// A run with so many more records, of a few keys each.
    @discardableResult
    func append(_ id: String, _ count: Int, ends: Bool = false) async throws -> RunID {
        let run = try #require(RunID(id))
        _ = try await ledger.createRun(run, kind: "application", sinks: [])
        let from = Int(try await ledger.run(run)?.lastSeq ?? 0)
        let events = (from..<from + count).map { number in
            Events.LogEvent(
                run: run, seq: 0, kind: .record, did: "did:plc:\(number % 3)", rev: "r\(number)",
                collection: number % 2 == 0 ? "app.bsky.feed.post" : "app.bsky.graph.follow", rkey: "k\(number % 7)",
                action: number % 5 == 4 ? .delete : number < 7 ? .create : .update, cid: "c\(number)", host: "h", time: "t",
                body: number % 5 == 4 ? [] : Array(#"{"n":\#(number)}"#.utf8))
        }
        if count > 0 { _ = try await ledger.append(events, run: run) }
        if ends { _ = try await ledger.endRun(run, state: .finished) }
        return run
    }

    /// Everything that is in the log, by run.
    func log() async throws -> [RunID: [Events.LogEvent]] {
        var log: [RunID: [Events.LogEvent]] = [:]
        for run in try await ledger.runs(state: nil, kind: "application", after: nil, limit: 1000) {
            log[run.id] = try await ledger.events(run: run.id, after: 0, limit: 100_000, maxBytes: 1 << 30)
        }
        return log
    }

    /// Returns once it is so; looks again whenever something was done with the ledger. Ends with the test's time limit.
    func reached(_ what: String, at location: SourceLocation = #_sourceLocation, _ condition: () async throws -> Bool) async throws {
        if try await condition() { return }
        for await _ in watch.changes where try await condition() { return }
        Issue.record("never came to it: \(what)", sourceLocation: location)
        throw CancellationError()
    }

    /// Every event of every run is behind the sink's cursor.
    func delivered(_ sink: SinkName) async throws -> Bool {
        let progress = try await ledger.sinkProgress([sink])[sink] ?? SinkProgress()
        return progress.pendingRuns == 0 && progress.haltedRuns == 0
    }

    func waitUntilDelivered(_ sink: SinkName, at location: SourceLocation = #_sourceLocation) async throws {
        try await reached("all is delivered to \(sink)", at: location) { try await delivered(sink) }
    }

    func consumers(_ sink: SinkName) async throws -> [SinkConsumer] { try await ledger.sinkViews(sink).first?.consumers ?? [] }
}
