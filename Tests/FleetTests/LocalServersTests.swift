import Foundation
import Logging
import Subprocess
import TestSupport
import Testing

@testable import Fleet

@Suite(.timeLimit(.minutes(10))) struct LocalServersTests {
    private let log = Logger(label: "weir.test") { _ in SwiftLogNoOpLogHandler() }

    /// A short path: sockets have room for 107 bytes.
    private func withFolder(_ body: (String) async throws -> Void) async throws {
        let folder = "/tmp/weir-fleet-\(UInt32.random(in: 0...(.max)))"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await body(folder)
    }

    private func redis(_ socket: String, _ command: String...) async -> String {
        await ServerProgram.output(of: ServerProgram.find("redis-cli") ?? "redis-cli", ["-s", socket] + command).text
    }

    private func process(in pidFile: String) throws -> pid_t? {
        try String(contentsOfFile: pidFile, encoding: .utf8).split(separator: "\n").first.flatMap { pid_t($0) }
    }

    @Test("both servers answer while the body runs, keep their data over a restart, and end with it")
    func lifecycle() async throws {
        try await withFolder { folder in
            for round in 1...2 {
                let servers = try LocalServers(folder: folder, redis: true, postgres: true, log: log)
                let socket = servers.folder + "/run/redis.sock"
                let pids = try await servers.run {
                    #expect(await redis(socket, "INCR", "rounds") == "\(round)\n")
                    #expect(await redis(socket, "CONFIG", "GET", "maxmemory-policy").contains("noeviction"))
                    return try [process(in: servers.folder + "/run/redis.pid"), process(in: servers.folder + "/postgres/data/postmaster.pid")]
                }
                for pid in pids { #expect(try kill(#require(pid), 0) != 0, "a server outlived its body") }
            }
        }
    }

    @Test("a Redis that is killed comes back with its data")
    func restart() async throws {
        try await withFolder { folder in
            let servers = try LocalServers(folder: folder, redis: true, postgres: false, log: log)
            let socket = servers.folder + "/run/redis.sock"
            try await servers.run {
                #expect(await redis(socket, "SET", "kept", "1") == "OK\n")
                let first = try #require(try process(in: servers.folder + "/run/redis.pid"))
                #expect(kill(first, SIGKILL) == 0)
                var answer = ""
                let deadline = ContinuousClock.now + .seconds(120)
                while !answer.hasPrefix("PONG"), ContinuousClock.now < deadline { answer = await redis(socket, "PING") }
                #expect(answer == "PONG\n")
                #expect(await redis(socket, "GET", "kept") == "1\n")
                #expect(try process(in: servers.folder + "/run/redis.pid") != first)
            }
        }
    }

    @Test("a data folder has one owner at a time, and the second is told which process that is")
    func oneOwner() async throws {
        try await withFolder { folder in
            let first = try LocalServers(folder: folder, redis: true, postgres: false, log: log)
            let error = #expect(throws: LocalServerError.self) { try LocalServers(folder: folder, redis: true, postgres: false, log: log) }
            #expect(error?.code == .inUse)
            #expect(error?.message.contains("\(getpid())") == true)
            withExtendedLifetime(first) {}
        }
    }

    @Test("a server that a killed process left behind is ended before the folder is used again")
    func stale() async throws {
        try await withFolder { folder in
            let owner = try DataFolder(folder)
            let left = try LocalRedis(owner)
            // Started beside LocalServers and not ended: what is left where setpriv cannot ask the kernel to end it.
            try await left.prepare(log: log)
            let server = left.server
            let pidFile = owner.file("run/redis.pid")
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { _ = try await Subprocess.run(server.configuration(), output: .discarded) }
                let deadline = ContinuousClock.now + .seconds(120)
                while await !left.isReady(), ContinuousClock.now < deadline {}
                let pid = try #require(try process(in: pidFile))
                #expect(kill(pid, 0) == 0)
                try await left.prepare(log: log)
                #expect(!FileManager.default.fileExists(atPath: pidFile))
                try await group.waitForAll()
            }
        }
    }

    @Test("a path that is too long for a socket is refused with the way out")
    func longPath() throws {
        let folder = "/tmp/weir-" + String(repeating: "x", count: 120)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let error = #expect(throws: LocalServerError.self) { try LocalServers(folder: folder, redis: true, postgres: false, log: log) }
        #expect(error?.message.contains("--data") == true)
    }
}
