import Foundation
import TestSupport
import Testing

/// The servers that other tests stand on.
@Suite(.timeLimit(.minutes(10))) struct PrivateServerTests {
    @Test("a private Redis starts, is killed and comes back on the same port") func redisComesBack() async throws {
        let redis = try await PrivateRedis.start(appendOnly: true)
        let first = await redis.processID
        await redis.kill()
        #expect(await redis.processID == nil)
        try await redis.start()
        #expect(await redis.processID != first)
        await redis.stop()
        #expect(!FileManager.default.fileExists(atPath: redis.socketPath))
    }

    @Test("a private Postgres starts, is killed and recovers") func postgresComesBack() async throws {
        let postgres = try await PrivatePostgres.start()
        try await ChildProcess.run(["/bin/sh", "-c", "echo ok"])
        await postgres.kill()
        try await postgres.start()
        #expect(await postgres.log.contains("ready to accept connections"))
        await postgres.stop()
    }

    @Test("a program that fails to start says why") func failureSaysWhy() async throws {
        let error = await #expect(throws: TestSupportError.self) { try await PrivateRedis.start(arguments: ["--nonsense", "1"]) }
        #expect(error?.description.contains("nonsense") == true)
    }
}
