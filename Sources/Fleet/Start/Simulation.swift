public import Logging
public import Serve
public import ServiceLifecycle
public import Simulator

/// The simulated network as a role: from the configuration to a service, with its health endpoint.
public enum Simulation {
    /// Builds the network and binds its ports: the first relay where the configuration says, everything else on the ports above it.
    ///
    /// - Parameter progress: told how much of the network is built.
    public static func prepare(
        _ configuration: FleetConfiguration, log: Logger,
        progress: @escaping @Sendable (_ phase: SimulatorService.Phase, _ done: Int, _ total: Int) -> Void
    ) async throws -> SimulatorService {
        return try await SimulatorService.prepare(configuration: network(configuration), logger: log, progress: progress)
    }

    /// The network that the configuration describes.
    static func network(_ configuration: FleetConfiguration) -> SimulatorConfiguration {
        let bind = configuration.simulatorBind
        // Port 0 takes a free one for each.
        func port(_ index: Int) -> Int { bind.port == 0 ? 0 : bind.port + index }
        let (relays, hosts) = (configuration.simulatorRelays, configuration.simulatorRepositoryHosts)
        var simulator = SimulatorConfiguration()
        simulator.seed = UInt64(configuration.simulatorSeed)
        simulator.accounts = configuration.simulatorAccounts
        simulator.repositoryHosts = hosts
        simulator.rate.eventsPerSecond = Double(configuration.simulatorRate)
        simulator.prebuild = configuration.simulatorPrebuild
        simulator.recordPath = configuration.simulatorRecord
        if configuration.simulatorInitialRecords > 0 {
            simulator.content.initialRecordsMin = configuration.simulatorInitialRecords
            simulator.content.initialRecordsMax = configuration.simulatorInitialRecords
        }
        simulator.content.hugeRepositories = configuration.simulatorHugeRepositories
        simulator.content.hugeBytes = configuration.simulatorHugeBytes
        simulator.relays = (0..<relays).map { index in
            // Every other one takes a cursor as the first to send, as some servers do.
            RelayConfiguration(name: "relay-\(index + 1)", port: port(index), cursorIsInclusive: index % 2 == 1)
        }
        simulator.servers.bindHost = bind.host
        simulator.servers.advertisedHost = configuration.simulatorAdvertisedHost
        simulator.servers.directoryPort = port(relays)
        simulator.servers.repositoryHostPort = port(relays + 1)
        simulator.servers.controlPort = port(relays + 2)
        simulator.servers.furtherHostsPort = port(relays + 3)
        simulator.labels.labelsPerSecond = Double(configuration.simulatorLabelRate)
        simulator.labelers = (0..<configuration.simulatorLabelers).map { index in
            LabelerConfiguration(name: "labeler-\(index + 1)", port: port(relays + 2 + hosts + index), cursorIsInclusive: index % 2 == 1)
        }
        return simulator
    }

    /// `/health`, `/ready` and `/metrics` of a process that only simulates: ready as soon as it answers.
    public static func operations(_ configuration: FleetConfiguration, metrics: PrometheusMetrics, log: Logger) throws -> any Service {
        try OperationsService(
            configuration: RoleServices.server(configuration.operationsBind, configuration), readiness: [], metrics: metrics, logger: log)
    }
}
