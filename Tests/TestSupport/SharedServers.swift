import Foundation

/// The servers that tests share: those of `WEIR_TEST_REDIS_URL` and `WEIR_TEST_POSTGRES_URL`, else private ones, started once a test process
/// and ended with it.
///
/// Whoever uses them keeps to a prefix or schema of its own (``RandomName``) and never flushes, restarts or configures them.
public enum SharedServers {
    private static let redis = Task { try await PrivateRedis.start() }
    private static let postgres = Task { try await PrivatePostgres.start(settings: ["wal_level": "logical", "max_replication_slots": "40"]) }

    public static func redisURL() async throws -> String {
        if let url = ProcessInfo.processInfo.environment["WEIR_TEST_REDIS_URL"], !url.isEmpty { return url }
        return try await redis.value.url
    }

    public static func postgresURL() async throws -> String {
        if let url = ProcessInfo.processInfo.environment["WEIR_TEST_POSTGRES_URL"], !url.isEmpty { return url }
        return try await postgres.value.url
    }
}
