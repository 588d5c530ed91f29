import ATProto
import Foundation
import Subprocess
import Work

/// What a process of its own has needed for an archive: read in pieces, spooled, walked to the end as a fetcher does it.
struct ArchiveMemory: Codable, Sendable {
    var records: Int
    var seconds: Double
    /// Of the process since it began.
    var peakMB: Double

    /// Runs `weir bench-archive`, which does this and nothing else.
    static func measure(_ path: String) async throws -> ArchiveMemory {
        let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let asked = try await Subprocess.run(
            .name("sh"), arguments: ["-c", "exec \"$0\" bench-archive \"$1\"", program, path], output: .string(limit: 4096),
            error: .string(limit: 4096))
        guard case .exited(0) = asked.terminationStatus else { throw ArchiveBench.Broken.child(asked.standardError) }
        return try JSONDecoder().decode(ArchiveMemory.self, from: Data(asked.standardOutput.utf8))
    }

    /// Takes the archive in, in this process.
    static func take(_ path: String) async throws -> ArchiveMemory {
        let begun = ContinuousClock.now
        let file = try FileHandle(forReadingFrom: URL(filePath: path))
        defer { try? file.close() }
        let spool = ArchiveSpool(ArchiveSpool.Configuration(folder: URL(filePath: path).deletingLastPathComponent().path, bytesMax: 1 << 30))
        while let chunk = try file.read(upToCount: 64 << 10), !chunk.isEmpty { try await spool.push(Array(chunk)) }
        let walk = try await PooledWalk.begin(try await spool.finish())
        var records = 0
        while true {
            let some = try await walk.step { walk throws(FormatError) in
                var some = 0
                while some < 2_000, try walk.next({ _ in some += 1 }) {}
                return some
            }
            guard some > 0 else { break }
            records += some
        }
        return ArchiveMemory(records: records, seconds: (ContinuousClock.now - begun) / .seconds(1), peakMB: try peakMB())
    }

    private static func peakMB() throws -> Double {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return (line?.split(whereSeparator: \.isWhitespace).dropFirst().first).flatMap { Double($0) }.map { $0 / 1024 } ?? 0
    }
}
