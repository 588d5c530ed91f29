import Foundation
import Subprocess

/// What the figures were measured on: without it they say nothing.
struct BenchMachine: Sendable, Codable {
    var cpu: String
    var cores: Int
    var memoryMB: Int
    var kernel: String
    var redis: String
    var postgres: String
    var build: String
    var date: String
    /// Of the last minute, when the bench began: what else the machine was busy with.
    var loadAverage: Double

    static func look() async -> BenchMachine {
        var load = [0.0]
        getloadavg(&load, 1)
        return BenchMachine(
            cpu: field("/proc/cpuinfo", "model name") ?? field("/proc/cpuinfo", "CPU implementer").map { "ARM, implementer \($0)" } ?? "unknown",
            cores: ProcessInfo.processInfo.activeProcessorCount, memoryMB: Int(ProcessInfo.processInfo.physicalMemory >> 20),
            kernel: text("/proc/sys/kernel/osrelease") ?? "unknown", redis: await version("redis-server", in: []),
            postgres: await version("postgres", in: postgresFolders), build: "weir \(Version.text), \(swiftBuild)",
            date: ISO8601DateFormatter().string(from: Date()), loadAverage: load[0])
    }

    func lines(isFull: Bool) -> [String] {
        [
            "\(cpu), \(cores) cores, \(memoryMB >> 10) GB, Linux \(kernel)",
            "\(redis) · \(postgres) · \(build)",
            "\(date), load average at the start \(loadAverage), \(isFull ? "full" : "short") run",
        ]
    }

    static var isDebug: Bool {
        #if DEBUG
            true
        #else
            false
        #endif
    }

    private static var swiftBuild: String {
        #if compiler(>=6.4)
            let compiler = "Swift 6.4 or newer"
        #else
            let compiler = "Swift 6.3"
        #endif
        return "\(compiler), \(isDebug ? "DEBUG build" : "release build")"
    }

    private static var postgresFolders: [String] {
        let versions = ((try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib/postgresql")) ?? []).compactMap(Int.init).sorted(by: >)
        return versions.map { "/usr/lib/postgresql/\($0)/bin" }
    }

    private static func version(_ name: String, in folders: [String]) async -> String {
        let path = folders.map { "\($0)/\(name)" }.first { FileManager.default.isExecutableFile(atPath: $0) } ?? name
        let asked = try? await Subprocess.run(
            .name("sh"), arguments: ["-c", "exec \"$0\" --version 2>/dev/null", path], output: .string(limit: 4096))
        guard let output = asked?.standardOutput, !output.isEmpty else { return "no \(name)" }
        // `Redis server v=7.0.15 sha=…` and `postgres (PostgreSQL) 15.10 (…)`.
        let words = output.split(whereSeparator: \.isWhitespace).map(String.init)
        if let short = words.first(where: { $0.hasPrefix("v=") }) { return "Redis \(short.dropFirst(2))" }
        return words.first { $0.first?.isNumber == true }.map { "Postgres \($0)" } ?? String(output.prefix(60))
    }

    private static func text(_ path: String) -> String? {
        (try? String(contentsOfFile: path, encoding: .utf8))?.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private static func field(_ path: String, _ name: String) -> String? {
        let line = text(path)?.split(separator: "\n").first { $0.hasPrefix(name) }
        return line?.split(separator: ":", maxSplits: 1).last?.trimmingCharacters(in: .whitespaces)
    }
}
