import Events
public import Logging
import PostgresClient
import RedisClient
public import Serve
public import ServiceLifecycle
import UnixSignals

/// One process of the fleet: the roles that it plays, over connections that they share.
///
/// Services start in the order of what they depend on, and end in the reverse: intake first, connections last. What a crash leaves behind: leases, which
/// expire; nothing else that another process would have to clear away.
public struct FleetProcess: Sendable {
    private let roles: Set<Role>
    private let configuration: FleetConfiguration
    private let metrics: PrometheusMetrics
    private let log: Logger

    /// - Parameter roles: at least one; ``Role/simulator`` is not among them: it needs no servers, see ``Simulation``.
    public init(roles: Set<Role>, configuration: FleetConfiguration, metrics: PrometheusMetrics, log: Logger) {
        self.roles = roles
        self.configuration = configuration
        self.metrics = metrics
        self.log = log
    }

    /// Runs until SIGTERM or SIGINT and the end of what was begun, or until a service fails.
    ///
    /// - Parameters:
    ///   - beside: services to run with the roles, ended after them: the simulator of a demo.
    ///   - onServing: called with the address when the API, or else the operations endpoint, listens.
    /// - Throws: ``ConfigurationError``, ``FleetError``, or what a service threw.
    public func run(beside: [any Service] = [], onServing: @escaping @Sendable (BindAddress) -> Void = { _ in }) async throws {
        let role = roles.count == 1 ? roles.first?.rawValue ?? "" : "up"
        let seams = configuration.crashOrder.map { CrashArming(order: $0).arm(log: log) } ?? .off
        let connections = try FleetConnections(configuration, role: role, seams: seams, log: log)
        let services: [any Service]
        do {
            let shards = try await StartChecks(ledger: connections.ledger, log: log).shards(configuration)
            services = try makeServices(connections, shards, onServing: onServing)
        } catch {
            await connections.redis.shutDown()
            await connections.pool.close()
            throw error
        }
        let name = "\(connections.name)"
        log.info("starting", metadata: ["process": "\(name)", "roles": "\(roles.map(\.rawValue).sorted().joined(separator: ","))"])
        try await Self.group([RedisConnections(client: connections.redis), connections.pool] + beside + services, configuration, log).run()
        log.info("stopped", metadata: ["process": "\(name)"])
    }

    /// Runs services that need no servers, such as a simulator, under the same rules.
    public static func run(_ services: [any Service], _ configuration: FleetConfiguration, log: Logger) async throws {
        try await group(services, configuration, log).run()
    }

    private func makeServices(
        _ connections: FleetConnections, _ shards: ShardMap, onServing: @escaping @Sendable (BindAddress) -> Void
    ) throws -> [any Service] {
        let parts = RoleServices(configuration: configuration, connections: connections, shards: shards, metrics: metrics, log: log)
        var services: [any Service] = []
        if !roles.contains(.api) { services.append(try parts.operations(onServing: onServing)) }
        if roles.contains(.worker) { services += try parts.worker() }
        if roles.contains(.api) { services.append(try parts.api(onServing: onServing)) }
        if roles.contains(.ingestBackfill) { services.append(try parts.ingestBackfill()) }
        if roles.contains(.ingestFirehose) { services.append(try parts.ingestFirehose()) }
        if roles.contains(.ingestLabeler) { services.append(try parts.ingestLabeler()) }
        return services
    }

    private static func group(_ services: [any Service], _ configuration: FleetConfiguration, _ log: Logger) -> ServiceGroup {
        var group = ServiceGroupConfiguration(
            services: services.map { .init(service: $0, successTerminationBehavior: .gracefullyShutdownGroup, serviceName: "\(type(of: $0))") },
            gracefulShutdownSignals: [.sigterm, .sigint], logger: log)
        group.maximumGracefulShutdownDuration = configuration.shutdownGrace
        // What cannot even be cancelled is ended with the process: leases expire, and nothing that was committed is lost.
        group.maximumCancellationDuration = .milliseconds(1500)
        return ServiceGroup(configuration: group)
    }
}
