import Foundation
public import Logging
import Subprocess

/// The Redis and the Postgres that `weir up` runs as child processes, where no others were given.
///
/// They run as long as the body does. One that dies is started again: the fleet must live with that, and a person who kills it to see so
/// should see it. What a crash leaves behind: the kernel asks both to end when this process dies; a server that is still ending is waited for by the
/// next start on the same folder.
public struct LocalServers: Sendable {
    private let log: Logger
    private let redis: LocalRedis?
    private let postgres: LocalPostgres?

    /// Where the data is; differs from what was asked for where Postgres' user cannot get there.
    public let folder: String

    /// Takes the folder; starts nothing yet.
    public init(folder: String, redis: Bool, postgres: Bool, log: Logger) throws(LocalServerError) {
        let folder = try DataFolder(folder)
        self.folder = folder.path
        self.log = log
        self.redis = redis ? try LocalRedis(folder) : nil
        self.postgres = postgres ? try LocalPostgres(folder) : nil
    }

    public var redisURL: String? { redis?.url }
    public var postgresURL: String? { postgres?.url }

    /// Runs the servers while `body` runs; `body` begins when both answer.
    ///
    /// - Throws: what `body` throws, or `failed` where a server does not start, or starts and ends again and again.
    public func run<Result: Sendable>(_ body: @escaping @Sendable () async throws -> Result) async throws -> Result {
        if let redis { try await redis.prepare(log: log) }
        if let postgres { try await postgres.prepare(log: log) }
        return try await withThrowingTaskGroup(of: Result.self) { group in
            if let redis { group.addTask { try await supervise("redis", redis.server) } }
            if let postgres { group.addTask { try await supervise("postgres", postgres.server) } }
            group.addTask {
                if let redis { try await waitUntilReady("redis", redis.server) { await redis.isReady() } }
                if let postgres { try await waitUntilReady("postgres", postgres.server) { await postgres.isReady() } }
                return try await body()
            }
            defer { group.cancelAll() }
            guard let result = try await group.next() else { throw CancellationError() }
            return result
        }
    }

    /// Never returns: a server that ends is started again, unless it ends at once three times in a row.
    private func supervise<Never>(_ name: String, _ server: ServerProgram) async throws -> Never {
        var quickEnds = 0
        while true {
            let begun = ContinuousClock.now
            let ended = try await Subprocess.run(server.configuration(), output: .discarded)
            try Task.checkCancellation()
            quickEnds = ContinuousClock.now - begun < .seconds(5) ? quickEnds + 1 : 0
            guard quickEnds < 3 else {
                throw LocalServerError(code: .failed, message: "\(name) ends as soon as it starts (\(ended.terminationStatus)): \(tail(server.log))")
            }
            log.warning("a server of our own ended; starting it again", metadata: ["server": "\(name)", "status": "\(ended.terminationStatus)"])
            try await Task.sleep(for: .milliseconds(500))
        }
    }

    /// A server says in no other way that it takes connections: so it is asked, for a minute at most.
    private func waitUntilReady(_ name: String, _ server: ServerProgram, _ isReady: () async -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while await !isReady() {
            try Task.checkCancellation()
            guard ContinuousClock.now < deadline else {
                throw LocalServerError(code: .failed, message: "\(name) does not answer after a minute: \(tail(server.log))")
            }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    private func tail(_ path: String) -> String {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return "see \(path)" }
        return text.split(separator: "\n").suffix(5).joined(separator: " | ") + " (\(path))"
    }
}
