public import Events
public import Ledger
public import Logging
import Outbox
import PostgresClient
import RedisClient

/// Replays over the servers of a configuration.
public enum Replays {
    /// What is asked for.
    public enum Order: Sendable {
        /// Nil: the run's first, and last, seq.
        case begin(RunID, from: Int64?, to: Int64?)
        /// One that was left, by its run.
        case goOn(RunID)
    }

    /// Where to.
    public enum Target: Sendable {
        case local(name: String, any ReplaySink)
        /// A sink of the registry.
        case registered(SinkName)

        var name: String {
            switch self {
            case .local(let name, _): name
            case .registered(let name): name.description
            }
        }
    }

    /// Runs one to its end.
    ///
    /// - Throws: ``ConfigurationError``, ``FleetError`` where there is no such run or nothing in the range, or what the sink or the ledger threw.
    public static func run(
        _ order: Order, configuration: FleetConfiguration, target: Target, filter: EventFilter, log: Logger,
        begun: @Sendable (ReplayRecord) -> Void, progress: @escaping @Sendable (ReplayProgress) -> Void
    ) async throws -> ReplayProgress {
        let name = ProcessName.make(role: "replay")
        let pool = try FleetConnections.pool(configuration, name: name, log: log)
        let ledger = Ledger(pool: pool, schema: configuration.postgresSchema)
        var writer: (any SinkWriter)?
        var redis: RedisClient?
        let outcome: Result<ReplayProgress, any Error>
        do {
            _ = try await ledger.shardCount()
            let sink: any ReplaySink
            switch target {
            case .local(_, let local): sink = local
            case .registered(let sinkName):
                let definition = try await definition(sinkName, ledger)
                let client = RedisClient(try FleetConnections.redis(configuration), logger: log)
                redis = client
                let writers = TargetWriters(
                    redis: client, postgresURL: configuration.postgresURL, folder: configuration.sinkFolder,
                    allowsPrivateHosts: configuration.allowsPrivateHosts, worker: name, logger: log)
                let made = try writers.writer(for: definition)
                writer = made
                sink = RegisteredSinkTarget(definition: definition, writer: made)
            }
            let replay = try await record(order, ledger, sinkName: target.name, owner: name)
            begun(replay)
            outcome = .success(try await ReplayRun(ledger: ledger, sink: sink, filter: filter).run(replay, progress: progress))
        } catch {
            outcome = .failure(error)
        }
        await writer?.close()
        await redis?.shutDown()
        await pool.close()
        return try outcome.get()
    }

    private static func definition(_ name: SinkName, _ ledger: Ledger) async throws -> SinkDefinition {
        guard let sink = try await ledger.sink(name) else {
            throw FleetError(code: .refused, message: "there is no sink \(name); allowed: stdout, file, or one of weir sinks")
        }
        do {
            return try SinkDefinition(name: name, settings: sink.settings)
        } catch {
            throw FleetError(code: .refused, message: "sink \(name): \(error)")
        }
    }

    private static func record(_ order: Order, _ ledger: Ledger, sinkName: String, owner: WorkerID) async throws -> ReplayRecord {
        switch order {
        case .goOn(let run):
            guard let replay = try await ledger.takeReplay(run, owner: owner) else {
                throw FleetError(code: .refused, message: "there is no replay \(run) that could go on")
            }
            guard replay.sink == sinkName else {
                throw FleetError(code: .refused, message: "\(run) delivers to \(replay.sink), not to \(sinkName)")
            }
            return replay
        case .begin(let source, let from, let to):
            guard let run = try await ledger.run(source) else { throw FleetError(code: .refused, message: "there is no run \(source)") }
            let (first, last) = (from ?? 1, to ?? run.lastSeq)
            guard first >= 1, first <= last, last <= run.lastSeq else {
                throw FleetError(
                    code: .refused, message: "\(source) has nothing from \(first) to \(last); allowed: 1 to \(run.lastSeq), from not above to")
            }
            return try await ledger.createReplay(source: source, range: first...last, sink: sinkName, owner: owner)
        }
    }
}
