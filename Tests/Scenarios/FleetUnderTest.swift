import Foundation
import Logging
import PostgresClient
import ServiceLifecycle
import Simulator
import TestSupport

/// A whole fleet of real processes on servers of its own, against a simulated network in this process.
struct FleetUnderTest: Sendable {
    let redis: PrivateRedis
    let postgres: PrivatePostgres
    let simulator: SimulatorService
    let pool: PostgresPool
    let apiPort: Int
    let environment: [String: String]

    /// Starts servers and the simulated network, migrates, and gives all of it to `body`; everything is ended afterwards.
    static func run(
        seed: UInt64, shards: Int = 8, accounts: Int = 60, content: ContentConfiguration = ContentConfiguration(),
        _ body: @escaping @Sendable (FleetUnderTest) async throws -> Void
    ) async throws {
        var quiet = Logger(label: "scenario")
        quiet.logLevel = .error
        let logger = quiet
        let redis = try await PrivateRedis.start()
        let postgres = try await PrivatePostgres.start()
        let simulator = try await SimulatorService.prepare(
            configuration: SimulatorConfiguration(seed: seed, accounts: accounts, rate: .paused, content: content), logger: logger)
        let apiPort = try FreePort.choose()
        let environment = [
            "WEIR_REDIS_URL": redis.url, "WEIR_POSTGRES_URL": postgres.url, "WEIR_SHARDS": "\(shards)",
            "WEIR_RELAY_HOSTS": simulator.addresses.relayURLs.joined(separator: ","), "WEIR_RELAY_START": "earliest",
            "WEIR_PLC_URL": simulator.addresses.directoryURL, "WEIR_API_BIND": "127.0.0.1:\(apiPort)", "WEIR_OPERATIONS_BIND": "127.0.0.1:0",
        ]
        try await WeirProcess.run(["migrate"], environment)
        let scenario = try PostgresConfiguration(url: postgres.url, applicationName: "scenario")
        // Before any process works: a trigger made under load would meet its locks.
        let observer = try await PostgresConnection.connect(scenario)
        _ = try await observer.execute(Self.triggers)
        await observer.close()
        let pool = PostgresPool(configuration: scenario, logger: logger)
        let fleet = FleetUnderTest(
            redis: redis, postgres: postgres, simulator: simulator, pool: pool, apiPort: apiPort, environment: environment)
        let outcome: Result<Void, any Error>
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await simulator.run() }
                group.addTask { try await pool.run() }
                group.addTask { try await body(fleet) }
                defer { group.cancelAll() }
                // The services do not end by themselves: the first end is the body's, or a failure.
                try await group.next()
            }
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        await pool.close()
        await postgres.stop()
        await redis.stop()
        try outcome.get()
    }

    func start(_ name: String, _ arguments: String...) async throws -> WeirProcess {
        try await WeirProcess.start(name, arguments, environment)
    }

    /// Waits until `condition` holds, looking again whenever a run or a lease changed; the test's time limit bounds it.
    func waitUntil(_ condition: @Sendable (PostgresPool) async throws -> Bool) async throws {
        try await pool.withConnection { connection in
            let changes = try await connection.notifications(on: ["scenario"])
            if try await condition(pool) { return }
            for try await _ in changes where try await condition(pool) { return }
        }
    }

    /// What the log has to hold by now.
    func expected() throws -> ExpectedLog { try ExpectedLog(lines: simulator.record.lines) }

    /// One row of one number.
    static func number(_ pool: PostgresPool, _ sql: String) async throws -> Int64 {
        try await pool.query(sql).first?.value(0, as: Int64.self) ?? 0
    }

    private static let triggers = """
        CREATE OR REPLACE FUNCTION weir.scenario_changed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_notify('scenario', ''); RETURN NULL; END $$;
        CREATE OR REPLACE TRIGGER scenario_runs AFTER UPDATE ON weir.runs FOR EACH STATEMENT EXECUTE FUNCTION weir.scenario_changed();
        CREATE OR REPLACE TRIGGER scenario_shards AFTER UPDATE ON weir.shards FOR EACH STATEMENT EXECUTE FUNCTION weir.scenario_changed();
        CREATE OR REPLACE TRIGGER scenario_positions AFTER UPDATE ON weir.shard_positions FOR EACH STATEMENT EXECUTE FUNCTION weir.scenario_changed();
        """
}

extension PostgresPool {
    /// Records, identity and account events in the log.
    func loggedEvents() async throws -> Int64 {
        try await FleetUnderTest.number(self, "SELECT count(*) FROM weir.run_events WHERE kind IN ('record', 'identity', 'account')")
    }
}
