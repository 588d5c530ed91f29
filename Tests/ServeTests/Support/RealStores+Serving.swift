import Events
import Logging
import ServiceLifecycle
import TestSupport
import Testing

@testable import Serve

extension RealStores {
    /// An API over these stores while `body` runs, which gets its port.
    func serving(_ configuration: ServerConfiguration = TestAPI.configuration, _ body: @Sendable (Int) async throws -> Void) async throws {
        var quiet = Logger(label: "test")
        quiet.logLevel = .critical
        let (ports, bound) = AsyncStream<Int>.makeStream()
        let service = try APIService(
            configuration: configuration, ledger: ledger, outlet: outlet, streams: nil, shards: ShardMap(count: 4),
            metrics: PrometheusMetrics(), logger: quiet, onBound: { bound.yield($0) })
        let group = ServiceGroup(services: [service], logger: quiet)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                defer { bound.finish() }
                try await group.run()
            }
            var iterator = ports.makeAsyncIterator()
            let port = try #require(await iterator.next())
            try await body(port)
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }
}
