import Fleet
import Foundation

/// A Redis and a Postgres of a part's own, in a folder that is gone afterwards. Those that the configuration names are somebody's: never used here.
enum BenchLab {
    struct Servers: Sendable {
        var configuration: FleetConfiguration
        /// For logs of processes.
        var folder: String
    }

    /// Gives migrated servers to `body`.
    static func run<Value: Sendable>(
        _ context: BenchContext, _ body: @escaping @Sendable (Servers) async throws -> Value
    ) async throws -> Value {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("weir-bench-\(UInt32.random(in: 0...(.max)))").path
        let servers = try LocalServers(folder: folder, redis: true, postgres: true, log: context.log)
        let place = servers.folder
        defer { for made in Set([folder, place]) { try? FileManager.default.removeItem(atPath: made) } }
        var configuration = context.configuration
        try configuration.set("redis.url", to: servers.redisURL ?? "", by: "weir bench")
        try configuration.set("postgres.url", to: servers.postgresURL ?? "", by: "weir bench")
        let ready = configuration
        return try await servers.run {
            try await Migration.run(ready, log: context.log) { _ in }
            return try await body(Servers(configuration: ready, folder: place))
        }
    }

    /// Free loopback ports that follow each other.
    static func freePorts(_ count: Int) throws -> Int {
        for _ in 0..<200 {
            let first = Int.random(in: 20_000...31_000)
            if (first..<first + count).allSatisfy(isFree) { return first }
        }
        throw Failure("no \(count) free ports in a row")
    }

    private static func isFree(_ port: Int) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0 }
        }
    }
}
