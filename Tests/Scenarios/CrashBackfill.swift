import PostgresClient
import RedisClient
import Simulator
import TestSupport

/// Lists of the simulated hosts, read in small pages and fed to nobody: this fleet's workers fetch nothing.
enum CrashBackfill {
    static func settings(_ fleet: FleetUnderTest) -> [String: String] {
        [
            "WEIR_REPOS_SCOPE": "full", "WEIR_BACKFILL_HOSTS": fleet.simulator.addresses.repositoryHostURLs.joined(separator: ","),
            "WEIR_BACKFILL_PAGE": "5",
        ]
    }

    /// As if nothing had been listed yet.
    static func forget(_ crashes: CrashFleet) async throws {
        for table in ["backfill_jobs", "backfill_sources", "backfill_progress"] {
            _ = try await crashes.fleet.pool.query("DELETE FROM weir.\(table)")
        }
        try await withRedis(crashes) { _ = try await $0.send(RedisCommand("DEL", "repo_backfill")) }
    }

    /// Waits until every host is listed to its end, and each repository that is to be fetched stands in the job stream once.
    static func waitUntilFed(_ crashes: CrashFleet) async throws {
        let hosts = crashes.fleet.simulator.addresses.repositoryHosts.count
        let listed = "SELECT count(*) FROM weir.backfill_sources WHERE state = 'listed' AND listed > 0"
        let waiting = "SELECT count(*) FROM weir.backfill_jobs WHERE state = 'waiting'"
        let queued = "SELECT did FROM weir.backfill_jobs WHERE state = 'queued'"
        try await withRedis(crashes) { redis in
            try await crashes.waitUntil { pool in
                guard try await FleetUnderTest.number(pool, listed) == hosts, try await FleetUnderTest.number(pool, waiting) == 0 else {
                    return false
                }
                let wanted = try await pool.query(queued).map { try $0.value(0, as: String.self) }
                let entries = try await redis.send(RedisCommand("XRANGE", "repo_backfill", "-", "+"), timeout: .seconds(30)).array()
                let fed = try entries.map { try $0.array()[1].array()[1].string() }
                return !wanted.isEmpty && fed.sorted() == wanted.sorted()
            }
        }
    }

    private static func withRedis(_ crashes: CrashFleet, _ body: (RedisClient) async throws -> Void) async throws {
        let redis = RedisClient(try RedisConfiguration(url: crashes.fleet.redis.url))
        do {
            try await body(redis)
            await redis.shutDown()
        } catch {
            await redis.shutDown()
            throw error
        }
    }
}
