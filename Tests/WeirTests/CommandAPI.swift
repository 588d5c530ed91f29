import Events
import Foundation
import Ledger
import Serve
import ServiceLifecycle
import TestSupport
import Testing

/// An API on a test's own stores, and the program that was built beside the tests, which asks it.
struct CommandAPI: Sendable {
    let address: String

    static func serving(
        _ stores: RealStores, scope: APIScope = .live, access: APIAccess = .off, _ body: @Sendable (CommandAPI) async throws -> Void
    ) async throws {
        var configuration = ServerConfiguration()
        configuration.bind = "127.0.0.1:0"
        let (ports, bound) = AsyncStream<Int>.makeStream()
        let service = try APIService(
            configuration: configuration, ledger: stores.ledger, outlet: stores.outlet, streams: nil, shards: ShardMap(count: 4), scope: scope,
            access: access, metrics: nil, logger: SharedServers.quietLogger, onBound: { bound.yield($0) })
        let group = ServiceGroup(services: [service], logger: SharedServers.quietLogger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                defer { bound.finish() }
                try await group.run()
            }
            var iterator = ports.makeAsyncIterator()
            let port = try #require(await iterator.next())
            try await body(CommandAPI(address: "127.0.0.1:\(port)"))
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    /// What the command prints; throws where it fails.
    func weir(_ arguments: String) async throws -> String { try await run("\(Self.program) \(arguments) --api \(address)") }

    /// What it prints and complains of, and behind it the exit code.
    func shell(_ arguments: String) async throws -> String { try await run("\(Self.program) \(arguments) --api \(address) 2>&1; echo $?") }

    /// What it complains of, where its exit code is 1.
    func refused(_ arguments: String) async throws -> String {
        let output = try await shell(arguments)
        #expect(output.hasSuffix("\n1"), "\(output)")
        return output
    }

    private func run(_ script: String) async throws -> String { try await ChildProcess.run(["/bin/sh", "-c", script]) }

    /// The program that was built beside the tests.
    static var program: String {
        let tests = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
        return URL(fileURLWithPath: tests).deletingLastPathComponent().appendingPathComponent("weir").path
    }
}
