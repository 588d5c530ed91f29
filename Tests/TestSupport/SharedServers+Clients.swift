public import Logging
public import PostgresClient
public import RedisClient

/// How tests reach the shared servers: with bounds that a machine keeps that is busy with other things.
extension SharedServers {
    /// A connection that works in one schema, under a name that `pg_stat_activity` shows.
    public static func postgres(schema: String, name: String) async throws -> PostgresConfiguration {
        var configuration = try PostgresConfiguration(url: try await postgresURL(), applicationName: name)
        configuration.searchPath = [schema]
        configuration.connectTimeout = .seconds(60)
        return configuration
    }

    /// Four connections at most, so that one test's wait is not all of them.
    public static func pool(schema: String, name: String, logger: Logger = quietLogger) async throws -> PostgresPool {
        var options = PostgresPool.Options()
        options.acquireTimeout = .seconds(60)
        options.connectionsMax = 4
        return PostgresPool(configuration: try await postgres(schema: schema, name: name), options: options, logger: logger)
    }

    /// - Parameter url: of another server than the shared one.
    public static func redis(url: String? = nil) async throws -> RedisConfiguration {
        let address = if let url { url } else { try await redisURL() }
        var configuration = try RedisConfiguration(url: address)
        configuration.connectTimeout = .seconds(60)
        configuration.commandTimeout = .seconds(60)
        return configuration
    }

    /// Says nothing below `critical`.
    public static var quietLogger: Logger {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return logger
    }
}
