import Logging
import TestSupport

@testable import PostgresClient

/// What the suites share: the server of the tests, and a schema of a test's own on it.
enum TestServer {
    static func configuration() async throws -> PostgresConfiguration {
        patient(try PostgresConfiguration(url: try await SharedServers.postgresURL(), applicationName: RandomName.schema()))
    }

    /// With bounds that a machine keeps that is busy with other things; a test that waits for one sets it itself.
    static func patient(_ configuration: PostgresConfiguration) -> PostgresConfiguration {
        var configuration = configuration
        configuration.connectTimeout = .seconds(60)
        configuration.statementTimeout = .seconds(120)
        configuration.silenceTimeout = .seconds(150)
        configuration.cancelGrace = .seconds(30)
        return configuration
    }

    static func connect(_ change: (inout PostgresConfiguration) -> Void = { _ in }) async throws -> PostgresConnection {
        var configuration = try await configuration()
        change(&configuration)
        return try await PostgresConnection.connect(configuration)
    }

    static func pool(_ configuration: PostgresConfiguration, _ change: (inout PostgresPool.Options) -> Void = { _ in }) -> PostgresPool {
        var options = PostgresPool.Options()
        options.acquireTimeout = .seconds(60)
        change(&options)
        return PostgresPool(configuration: configuration, options: options, logger: Logger(label: "test"))
    }

    /// Host and port of the tests' server, for proxies in front of it.
    static func address() async throws -> (host: String, port: Int) {
        let rows = try await connect().query("SELECT inet_server_port()::int8")
        return ("127.0.0.1", Int(try rows[0].value(0, as: Int64.self)))
    }

    /// The tests' server as reached through another port.
    static func configuration(port: Int) async throws -> PostgresConfiguration {
        let direct = try await configuration()
        let url = "postgres://\(direct.user ?? "weir")@127.0.0.1:\(port)/\(direct.database ?? "weir")?sslmode=disable"
        return patient(try PostgresConfiguration(url: url, applicationName: RandomName.schema()))
    }
}

/// The error of a call that must fail.
func failure(of body: () async throws -> Void) async -> PostgresError? {
    do {
        try await body()
        return nil
    } catch {
        return error as? PostgresError
    }
}
