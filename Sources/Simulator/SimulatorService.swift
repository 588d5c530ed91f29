import DequeModule
public import Logging
public import ServiceLifecycle

/// The whole simulated network: relays, directory, repository hosts, control API and the production of changes.
///
/// ``prepare(configuration:logger:progress:)`` builds the network and binds every port, so that addresses are known before anything runs; ``run()``
/// serves and produces until cancelled or shut down. Nothing survives it: a crash leaves only the record's file.
public struct SimulatorService: Service {
    public let addresses: SimulatorAddresses
    public let record: SentRecord
    public let faults: FaultCounters

    private let network: SimulatedNetwork
    private let producer: Producer
    private let relays: [RelayServer]
    private let listeners: [HTTPListener]
    private let snapshot: @Sendable () async throws -> SimulatorStatus
    private let logger: Logger

    /// What waits while a network is built.
    public enum Phase: String, Sendable { case accounts, prebuild }

    /// Builds and binds. Throws where a value is not allowed, a port is taken or the record's file cannot be opened.
    ///
    /// - Parameter onSent: told each commit right before its frame is written to a reader's socket, on the relay's event loop: it must not block.
    public static func prepare(
        configuration: SimulatorConfiguration, logger: Logger, onSent: (@Sendable (_ did: String, _ rev: String) -> Void)? = nil,
        progress: @escaping @Sendable (_ phase: Phase, _ done: Int, _ total: Int) -> Void = { _, _, _ in }
    ) async throws(SimulatorError) -> SimulatorService {
        try configuration.validate()
        let network = SimulatedNetwork(
            configuration: configuration, startMicroseconds: configuration.startMicroseconds ?? WallClock.microseconds)
        try await network.build { progress(.accounts, $0, $1) }
        var prebuilt = Deque<NetworkEvent>(minimumCapacity: configuration.prebuild)
        while prebuilt.count < configuration.prebuild {
            prebuilt += try await network.next(min(500, configuration.prebuild - prebuilt.count))
            progress(.prebuild, prebuilt.count, configuration.prebuild)
        }
        return try await SimulatorService(configuration: configuration, network: network, prebuilt: prebuilt, onSent: onSent, logger: logger)
    }

    private init(
        configuration: SimulatorConfiguration, network: SimulatedNetwork, prebuilt: Deque<NetworkEvent>,
        onSent: (@Sendable (_ did: String, _ rev: String) -> Void)?, logger: Logger
    ) async throws(SimulatorError) {
        let servers = configuration.servers
        let advertised = servers.advertisedHost ?? servers.bindHost
        let counters = FaultCounters()
        let serverFaults = ServerFaults(counters: counters)
        let record = try SentRecord(linesMax: configuration.recordLinesMax, path: configuration.recordPath)

        var hosts: [HTTPListener] = []
        for host in 0..<configuration.repositoryHosts {
            let server = RepositoryHostServer(network: network, faults: serverFaults, host: host)
            hosts.append(try await HTTPListener.bind(host: servers.bindHost, port: servers.repositoryHostPort(host), responder: server))
        }
        let directoryServer = DirectoryServer(
            network: network, faults: serverFaults, repositoryHosts: hosts.map { "http://\(advertised):\($0.port)" })
        let directory = try await HTTPListener.bind(host: servers.bindHost, port: servers.directoryPort, responder: directoryServer)
        var relays: [RelayServer] = []
        for (index, relay) in configuration.relays.enumerated() {
            relays.append(
                try await RelayServer.bind(
                    seed: configuration.seed, index: index, configuration: relay, bindHost: servers.bindHost, counters: counters, record: record,
                    onSent: onSent, fallback: RepositoryHostServer(network: network, faults: serverFaults, host: nil)))
        }
        let producer = Producer(
            configuration: configuration, network: network, relays: relays, record: record, serverFaults: serverFaults, counters: counters,
            prebuilt: prebuilt, logger: logger)
        let bound = relays
        let snapshot: @Sendable () async throws -> SimulatorStatus = {
            try await Self.status(configuration, producer: producer, relays: bound, record: record, counters: counters)
        }
        let controlServer = ControlServer(
            status: snapshot, producer: producer, record: record, network: network, relays: relays.count, hosts: hosts.count)
        let control = try await HTTPListener.bind(host: servers.bindHost, port: servers.controlPort, responder: controlServer)

        addresses = SimulatorAddresses(
            relays: relays.map { "\(advertised):\($0.listener.port)" }, directory: "\(advertised):\(directory.port)",
            repositoryHosts: hosts.map { "\(advertised):\($0.port)" }, control: "\(advertised):\(control.port)")
        self.record = record
        faults = counters
        self.network = network
        self.producer = producer
        self.relays = relays
        listeners = hosts + [directory, control]
        self.snapshot = snapshot
        self.logger = logger
    }

    /// Serves and produces until the task is cancelled or the service group shuts down.
    public func run() async throws {
        logger.info(
            "simulator serves",
            metadata: [
                "relays": "\(addresses.relays.joined(separator: " "))", "directory": "\(addresses.directory)",
                "repository_hosts": "\(addresses.repositoryHosts.joined(separator: " "))", "control": "\(addresses.control)",
            ])
        try await cancelWhenGracefulShutdown {
            try await withThrowingTaskGroup { group in
                for listener in listeners { group.addTask { try await listener.run() } }
                for relay in relays { group.addTask { try await relay.run() } }
                group.addTask { try await producer.run() }
                defer { group.cancelAll() }
                do {
                    // None ends on its own: the first end is a failure or the shutdown.
                    try await group.next()
                } catch is CancellationError {
                    return
                }
            }
        }
    }

    // MARK: For callers in the same process; the control API does the same for others

    public func status() async throws -> SimulatorStatus { try await snapshot() }
    public func set(_ rate: EventRate) async throws { try await producer.set(rate) }
    public func take(_ order: FaultOrder) async throws { try await producer.take(order) }
    public func stop() async { await producer.stop() }

    /// The first commits of what is prebuilt, as frames, with their accounts' keys: for measurements of what can be made of them.
    public func prebuiltCommits(_ count: Int) async -> [(frame: [UInt8], multikey: String)] {
        var commits: [(frame: [UInt8], multikey: String)] = []
        for event in await producer.prebuiltCommits(count) {
            guard let identity = await network.identity(of: event.did) else { continue }
            commits.append((event.body.frame(seq: 1, time: Timestamp.bytes(microseconds: event.microseconds)), identity.multikey))
        }
        return commits
    }
    /// What each account holds; each is taken at one instant. Make the network stand still first to compare all of it.
    public func repositories() -> RepositorySnapshots { RepositorySnapshots(network: network) }
    /// What one account holds; nil where there is no such account.
    public func repository(of did: String) async throws -> RepositorySnapshot? { try await network.holding(of: did)?.snapshot }
    /// The DIDs of all accounts, the busiest first.
    public var dids: [String] { get async { await network.dids } }

    private static func status(
        _ configuration: SimulatorConfiguration, producer: Producer, relays: [RelayServer], record: SentRecord, counters: FaultCounters
    ) async throws -> SimulatorStatus {
        let state = await producer.state
        let prebuiltLeft = await producer.prebuiltCount
        let isDone = state == .stopped ? prebuiltLeft == 0 : state == .finished || state == .paused
        let isIdle = await producer.isIdle
        var statuses: [RelayStatus] = []
        for relay in relays { statuses.append(try await relay.status()) }
        let lines = record.lineCounts
        return SimulatorStatus(
            seed: configuration.seed, accounts: configuration.accounts, state: state.rawValue,
            quiescent: isDone && isIdle && statuses.allSatisfy { $0.held == 0 }, eventsProduced: await producer.produced,
            prebuiltLeft: prebuiltLeft, faultsWaiting: await producer.faultsWaiting, faults: counters.byName, relays: statuses,
            recordLines: lines.kept, recordLinesDropped: lines.dropped)
    }
}
