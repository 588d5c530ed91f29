import Foundation
import PostgresClient
import RedisClient
import Simulator
import TestSupport

/// Faults of Redis, Postgres and our own processes, each with its injection, its proof, and the progress that follows it.
extension FleetUnderTest {
    /// Redis loses everything while entries are unread, until a worker found a hole.
    func redisEmptied() async throws {
        try await step("Redis emptied") {
            let before = try await rewinds()
            try await RedisProbe.with(self) { redis in
                // A flush that meets no unread entry loses nothing: again, until one did.
                try await waitUntil("a worker finds a hole") { _ in
                    if try await rewinds() > before { return true }
                    _ = try await redis.client.send(RedisCommand("FLUSHALL"))
                    return false
                }
            }
            try await progress()
        }
    }

    /// Redis takes no more writes, for as long as `meanwhile` lasts; then it has room again.
    func redisFull(ingester: WeirProcess) async throws {
        try await step("Redis full") {
            try await RedisProbe.with(self) { redis in
                let refused = try await redis.info("errorstats", "errorstat_OOM:count=")
                // The newest such line: an earlier pause is no proof of this one.
                let paused = { @Sendable in
                    ingester.child.output.split(separator: "\n").last { $0.contains("the gate changed") && $0.contains("paused_by=memory") }.map(
                        String.init)
                }
                let pausedBefore = paused()
                let used = try await redis.info("memory", "used_memory:")
                // Far below: the gate closes at a share of it, and what little is written then would not reach it.
                try await redis.set("maxmemory", "\(used / 2)")
                try await waitUntil("Redis refuses writes") { _ in try await redis.info("errorstats", "errorstat_OOM:count=") > refused }
                try await waitUntil("the ingester pauses for memory") { _ in
                    guard let now = paused() else { return false }
                    return now != pausedBefore
                }
                // For a while: the network goes on, the relays keep it.
                let sent = simulator.record.eventCount
                try await waitUntil("the network goes on") { _ in simulator.record.eventCount >= sent + 200 }
                try await redis.set("maxmemory", "0")
            }
            try await progress()
        }
    }

    /// Postgres ends without a checkpoint, in mid-work, and recovers.
    func postgresKilled() async throws {
        try await step("Postgres killed and started again") {
            let started = "SELECT (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint"
            let before = try await Self.number(pool, started)
            await postgres.kill()
            let sent = simulator.record.eventCount
            try await waitUntil("the network goes on", within: .seconds(30)) { _ in simulator.record.eventCount >= sent + 100 }
            try await postgres.start()
            try await waitUntil("Postgres is another one") { try await Self.number($0, started) > before }
            try await progress()
        }
    }

    /// A process is killed, and another one takes its place.
    func killed(_ process: WeirProcess, successor name: String, _ arguments: [String]) async throws -> WeirProcess {
        var successor = process
        try await step("\(process.name) killed, another one in its place") {
            let status = await process.end(SIGKILL)
            try require(status == 128 + SIGKILL, "\(process.name) ended with \(status) at SIGKILL")
            successor = try await start(name, arguments)
            try await progress()
        }
        return successor
    }
}
