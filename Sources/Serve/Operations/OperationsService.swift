import CoreMetrics
public import Logging
public import NIOCore
import NIOPosix
public import ServiceLifecycle

/// Serves `/health`, `/ready` and `/metrics` of a role that serves nothing else, on an address of its own.
public struct OperationsService: Service {
    private let server: HTTPServer

    /// - Parameters:
    ///   - readiness: asked in turn; ready where none has a reason.
    ///   - metrics: what `/metrics` shows; nil: 404.
    ///   - onBound: called with the port once it listens.
    /// - Throws: ``ServeError/badConfiguration(_:)``.
    public init(
        configuration: ServerConfiguration, readiness: [any ReadinessSource], metrics: PrometheusMetrics?,
        group: (any EventLoopGroup)? = nil, logger: Logger, onBound: @escaping @Sendable (Int) -> Void = { _ in }
    ) throws(ServeError) {
        let problems = configuration.problems()
        guard problems.isEmpty else { throw ServeError.badConfiguration(problems) }
        let board = ReadinessBoard(sources: readiness, keepFor: configuration.readyCache)
        let parts = ServerParts(
            configuration: configuration, responder: OperationsResponder(readiness: board, metrics: metrics),
            metrics: ServerMetrics(factory: metrics ?? MetricsSystem.factory), streaming: nil, logger: logger)
        server = HTTPServer(parts: parts, group: group ?? MultiThreadedEventLoopGroup.singleton, onBound: onBound)
    }

    /// Until graceful shutdown; throws where it cannot listen.
    public func run() async throws { try await server.run() }
}
