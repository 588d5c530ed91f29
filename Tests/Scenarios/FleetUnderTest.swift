import Foundation
import Logging
import PostgresClient
import RedisClient
import ServiceLifecycle
import Simulator
import TestSupport

/// A whole fleet of real processes on servers of its own, against a simulated network in this process.
///
/// Knows how to start, to wait and to compare; which faults there are is in ``FleetUnderTest+Faults``. Every wait is bounded and says what it
/// waited for; the failure of a scenario tells its seed, its steps and what each process wrote last.
struct FleetUnderTest: Sendable {
    let redis: PrivateRedis
    let postgres: PrivatePostgres
    let simulator: SimulatorService
    let pool: PostgresPool
    let apiPort: Int
    let environment: [String: String]
    let seed: UInt64
    let journal: ScenarioJournal
    private let changes: FleetChanges

    /// Starts servers and the simulated network, migrates, and gives all of it to `body`; everything is ended afterwards.
    ///
    /// - Parameters:
    ///   - relays: of the simulated network; nil takes its two of different habits.
    ///   - settings: `WEIR_…` variables on top of those that make the fleet.
    ///   - simulator: changes what the simulated network is.
    ///   - keepsRedis: Redis writes an append-only file, synced each second.
    static func run(
        seed: UInt64, shards: Int = 8, accounts: Int = 60, content: ContentConfiguration = ContentConfiguration(),
        relays: [RelayConfiguration]? = nil,
        settings: [String: String] = [:], keepsRedis: Bool = false, simulator change: (inout SimulatorConfiguration) -> Void = { _ in },
        _ body: @escaping @Sendable (FleetUnderTest) async throws -> Void
    ) async throws {
        var quiet = Logger(label: "scenario")
        quiet.logLevel = .critical
        let logger = quiet
        let redis = try await PrivateRedis.start(appendOnly: keepsRedis, arguments: keepsRedis ? ["--appendfsync", "everysec"] : [])
        let postgres = try await PrivatePostgres.start(settings: ["wal_level": "logical"])
        var configuration = SimulatorConfiguration(seed: seed, accounts: accounts, rate: .paused, content: content)
        if let relays { configuration.relays = relays }
        change(&configuration)
        let simulator = try await SimulatorService.prepare(configuration: configuration, logger: logger)
        let apiPort = try FreePort.choose()
        let environment = [
            "WEIR_REDIS_URL": redis.url, "WEIR_POSTGRES_URL": postgres.url, "WEIR_SHARDS": "\(shards)",
            "WEIR_RELAY_HOSTS": simulator.addresses.relayURLs.joined(separator: ","), "WEIR_RELAY_START": "earliest",
            "WEIR_PLC_URL": simulator.addresses.directoryURL, "WEIR_API_BIND": "127.0.0.1:\(apiPort)", "WEIR_OPERATIONS_BIND": "127.0.0.1:0",
        ].merging(settings) { _, given in given }
        try await WeirProcess.run(["migrate"], environment)
        let scenario = try PostgresConfiguration(url: postgres.url, applicationName: "scenario")
        // Before any process works: a trigger made under load would meet its locks.
        let observer = try await PostgresConnection.connect(scenario)
        _ = try await observer.execute(Self.triggers)
        await observer.close()
        let pool = PostgresPool(configuration: scenario, logger: logger)
        let journal = ScenarioJournal()
        let changes = FleetChanges()
        let fleet = FleetUnderTest(
            redis: redis, postgres: postgres, simulator: simulator, pool: pool, apiPort: apiPort, environment: environment, seed: seed,
            journal: journal, changes: changes)
        let outcome: Result<Void, any Error>
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await simulator.run() }
                group.addTask { try await pool.run() }
                group.addTask {
                    await changes.run(scenario)
                    // Only the end of the scenario ends it.
                    throw CancellationError()
                }
                group.addTask { try await body(fleet) }
                defer { group.cancelAll() }
                // The services do not end by themselves: the first end is the body's, or a failure.
                try await group.next()
            }
            outcome = .success(())
        } catch {
            outcome = .failure(journal.report(seed: seed, error))
        }
        journal.endClients()
        await journal.endProcesses()
        await pool.close()
        await postgres.stop()
        await redis.stop()
        try outcome.get()
    }

    // MARK: Processes and clients

    func start(_ name: String, _ arguments: String...) async throws -> WeirProcess { try await start(name, arguments) }

    /// `settings` go on top of the fleet's.
    func start(_ name: String, _ arguments: [String], settings: [String: String] = [:]) async throws -> WeirProcess {
        let process = try await WeirProcess.start(name, arguments, environment.merging(settings) { _, given in given })
        journal.started(process)
        return process
    }

    /// Ends a process in order.
    func end(_ process: WeirProcess) async throws {
        let status = await process.end(SIGTERM)
        try require(status == 0, "\(process.name) ended with \(status) at SIGTERM")
    }

    /// A client of the merged firehose from its beginning (or from `now`); it follows until the scenario ends. The API is to be started by the scenario.
    func client(from cursor: String = "earliest") -> FirehoseClient {
        let client = FirehoseClient(port: apiPort, cursor: cursor)
        journal.started(client)
        return client
    }

    // MARK: Steps and waits

    /// A named part of the scenario: a failure inside tells its name.
    func step(_ name: String, _ body: () async throws -> Void) async throws {
        let start = ContinuousClock.now
        journal.began(name)
        try await body()
        journal.ended(name, ContinuousClock.now - start)
    }

    func require(_ condition: Bool, _ message: @autoclosure () -> String) throws {
        if !condition { throw ScenarioFailure(message()) }
    }

    /// Waits until `condition` holds, looking again whenever something in the fleet changed.
    ///
    /// While Postgres is away the condition counts as not met. Throws after `limit`, with what was waited for; later on a busy machine, where a
    /// processor has more than one task that wants to run.
    func waitUntil(
        _ what: @autoclosure () -> String = "the condition", within limit: Duration = .seconds(90),
        _ condition: @Sendable (PostgresPool) async throws -> Bool
    ) async throws {
        let start = ContinuousClock.now
        while true {
            do {
                if try await condition(pool) { return }
            } catch let error as PostgresError where error.isRetryable {
                // Postgres is away, or was when the statement began.
            }
            try Task.checkCancellation()
            let taken = ContinuousClock.now - start
            guard taken < limit || taken < limit * ScenarioLeases.busy else { throw ScenarioFailure("not within \(limit): \(what())") }
            await changes.next()
        }
    }

    /// One row of one number.
    static func number(_ pool: PostgresPool, _ sql: String) async throws -> Int64 {
        try await pool.query(sql).first?.value(0, as: Int64.self) ?? 0
    }

    // MARK: The comparison

    /// What the log has to hold by now.
    func expected() throws -> ExpectedLog { try ExpectedLog(lines: simulator.record.lines) }

    /// Stops production, waits until everything arrived, and compares the log, and what each client received, with the simulator's own record.
    ///
    /// - Parameter adjust: takes out of the record what a fault rightly hides.
    @discardableResult
    func settle(within limit: Duration = .seconds(120), _ adjust: (ExpectedLog) async throws -> ExpectedLog = { $0 }) async throws -> ExpectedLog {
        try await simulator.set(EventRate.paused)
        try await waitUntil("the simulator holds nothing back") { _ in try await simulator.status().quiescent }
        let expected = try await adjust(try self.expected())
        let count = expected.count
        let clients = journal.clients
        var timeout: (any Error)?
        do {
            try await waitUntil("all of \(count) events are in the log, none is held, and clients have them", within: limit) { pool in
                guard try await pool.loggedEvents() >= count else { return false }
                guard try await Self.number(pool, "SELECT count(*) FROM weir.held") == 0 else { return false }
                return clients.allSatisfy { $0.count >= count }
            }
            // Each relay is followed to its end, though another one has brought all there is; and where events may be missing, the number alone
            // does not say that all others are there.
            for relay in simulator.addresses.relays.indices { try await waitUntilReadThrough(relay) }
            try await waitUntil("none is held", within: limit) { try await Self.number($0, "SELECT count(*) FROM weir.held") == 0 }
        } catch let failure as ScenarioFailure {
            timeout = failure
        }
        let actual = try await ActualLog(pool)
        var differences = LogComparison.differences(expected, actual)
        for client in clients { differences += LogComparison.differences(expected, client.received).map { "client: \($0)" } }
        if let timeout { differences.insert("\(timeout); \(actual.count) are in the log", at: 0) }
        try require(differences.isEmpty, differences.joined(separator: "\n"))
        journal.note("log = record: \(count) events")
        return expected
    }

    private static let triggers =
        "CREATE OR REPLACE FUNCTION weir.scenario_changed() RETURNS trigger LANGUAGE plpgsql AS "
        + "$$ BEGIN PERFORM pg_notify('scenario', ''); RETURN NULL; END $$;"
        + [("runs", "UPDATE"), ("shards", "UPDATE"), ("shard_positions", "UPDATE"), ("sessions", "INSERT OR UPDATE")].map { table, events in
            "CREATE OR REPLACE TRIGGER scenario_\(table) AFTER \(events) ON weir.\(table) FOR EACH STATEMENT EXECUTE FUNCTION weir.scenario_changed();"
        }.joined()
}

extension PostgresPool {
    /// Records, identity and account events in the log.
    func loggedEvents() async throws -> Int64 {
        try await FleetUnderTest.number(self, "SELECT count(*) FROM weir.run_events WHERE kind IN ('record', 'identity', 'account')")
    }
}
