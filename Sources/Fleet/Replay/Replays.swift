public import Events
public import Ledger
public import Logging
import PostgresClient

/// Replays over the servers of a configuration.
public enum Replays {
    /// What is asked for.
    public enum Order: Sendable {
        /// Nil: the run's first, and last, seq.
        case begin(RunID, from: Int64?, to: Int64?)
        /// One that was left, by its run.
        case goOn(RunID)
    }

    /// Runs one to its end.
    ///
    /// - Throws: ``ConfigurationError``, ``FleetError`` where there is no such run or nothing in the range, or what the sink or the ledger threw.
    public static func run(
        _ order: Order, configuration: FleetConfiguration, sinkName: String, sink: any ReplaySink, filter: EventFilter, log: Logger,
        begun: @Sendable (ReplayRecord) -> Void, progress: @escaping @Sendable (ReplayProgress) -> Void
    ) async throws -> ReplayProgress {
        let name = ProcessName.make(role: "replay")
        let pool = try FleetConnections.pool(configuration, name: name, log: log)
        let ledger = Ledger(pool: pool, schema: configuration.postgresSchema)
        do {
            _ = try await ledger.shardCount()
            let replay = try await record(order, ledger, sinkName: sinkName, owner: name)
            begun(replay)
            let end = try await ReplayRun(ledger: ledger, sink: sink, filter: filter).run(replay, progress: progress)
            await pool.close()
            return end
        } catch {
            await pool.close()
            throw error
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
