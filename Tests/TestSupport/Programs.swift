import Foundation

enum Programs {
    /// The path of a program: in `PATH`, or among the PostgreSQL versions that Debian installs, the newest first.
    static func path(_ name: String) throws -> String {
        let searched = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
        let root = "/usr/lib/postgresql"
        let versions = ((try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []).sorted { (Int($0) ?? 0) > (Int($1) ?? 0) }
        for folder in searched + ["/usr/bin", "/usr/sbin", "/usr/local/bin"] + versions.map({ "\(root)/\($0)/bin" }) {
            let candidate = "\(folder)/\(name)"
            if FileManager.default.isExecutableFile(atPath: candidate) { return candidate }
        }
        throw TestSupportError("no program \(name) on this machine")
    }
}
