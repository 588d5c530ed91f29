import DequeModule
public import Logging
public import ServiceLifecycle

/// The whole simulated network: relays, directory, repository hosts, labelers, control API and the production of changes and labels.
///
/// ``prepare(configuration:logger:progress:)`` builds the network and binds every port, so that addresses are known before anything runs; ``run()``
/// serves and produces until cancelled or shut down. Nothing survives it: a crash leaves only the record's file.
public struct SimulatorService: Service {
    public let addresses: SimulatorAddresses
    public let record: SentRecord
    public let faults: FaultCounters

    private let network: SimulatedNetwork
    private let producer: Producer
    private let labels: LabelProducer
    /// Of relays and labelers.
    private let streams: [RelayServer]
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
        let counters = FaultCounters()
        let serverFaults = ServerFaults(counters: counters)
        let record = try SentRecord(linesMax: configuration.recordLinesMax, path: configuration.recordPath)
        let maker = try Self.labels(configuration)
        let servers = try await SimulatorServers.bind(
            configuration, network: network, labels: maker, faults: serverFaults, counters: counters, record: record, onSent: onSent)
        let labels = LabelProducer(configuration: configuration, network: network, maker: maker, servers: servers.labelers)
        let producer = Producer(
            configuration: configuration, network: network, relays: servers.relays, labels: labels, record: record, serverFaults: serverFaults,
            counters: counters, prebuilt: prebuilt, logger: logger)
        let snapshot: @Sendable () async throws -> SimulatorStatus = {
            try await Self.status(configuration, producer: producer, labels: labels, servers: servers, record: record, counters: counters)
        }
        let controlServer = ControlServer(
            status: snapshot, producer: producer, record: record, network: network, labels: labels, configuration: configuration)
        let control = try await HTTPListener.bind(
            host: configuration.servers.bindHost, port: configuration.servers.controlPort, responder: controlServer)

        let address = configuration.servers.address
        addresses = SimulatorAddresses(
            relays: servers.relays.map { address($0.listener) }, directory: address(servers.directory),
            repositoryHosts: servers.hosts.map(address), control: address(control), labelers: servers.labelers.map { address($0.listener) },
            labelerDIDs: servers.labelerDIDs)
        self.record = record
        faults = counters
        self.network = network
        self.producer = producer
        self.labels = labels
        streams = servers.relays + servers.labelers
        listeners = servers.hosts + [servers.directory, control]
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
                "labelers": "\(addresses.labelers.joined(separator: " "))",
            ])
        try await cancelWhenGracefulShutdown {
            try await withThrowingTaskGroup { group in
                for listener in listeners { group.addTask { try await listener.run() } }
                for stream in streams { group.addTask { try await stream.run() } }
                group.addTask { try await producer.run() }
                if !addresses.labelers.isEmpty { group.addTask { try await labels.run() } }
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
    /// The labels that are current now, in no order; `expired` adds those that have ended by themselves.
    public func currentLabels(expired: Bool = false) async -> [SimulatedLabel] { await labels.labels(expired: expired) }
    /// So many labels a second of all labelers together from now on, and at most so many.
    public func setLabels(perSecond: Double, max: Int? = nil) async throws { try await labels.set(labelsPerSecond: perSecond, max: max) }
    /// The DIDs of all accounts, the busiest first.
    public var dids: [String] { get async { await network.dids } }

    private static func labels(_ configuration: SimulatorConfiguration) throws(SimulatorError) -> LabelMaker {
        do {
            return try LabelMaker(seed: configuration.seed, labelers: configuration.labelers.count, configuration: configuration.labels)
        } catch {
            throw SimulatorError(code: .buildFailed, message: "cannot make a labeler", entity: "labelers", cause: "\(error)")
        }
    }

    private static func status(
        _ configuration: SimulatorConfiguration, producer: Producer, labels: LabelProducer, servers: SimulatorServers, record: SentRecord,
        counters: FaultCounters
    ) async throws -> SimulatorStatus {
        let state = await producer.state
        let prebuiltLeft = await producer.prebuiltCount
        let isDone = state == .stopped ? prebuiltLeft == 0 : state == .finished || state == .paused
        let areLabelsDone = await labels.isDone
        let isIdle = await producer.isIdle
        var relays: [RelayStatus] = []
        for relay in servers.relays { relays.append(try await relay.status()) }
        var labelers: [RelayStatus] = []
        for labeler in servers.labelers { labelers.append(try await labeler.status()) }
        let lines = record.lineCounts
        return SimulatorStatus(
            seed: configuration.seed, accounts: configuration.accounts, state: state.rawValue,
            quiescent: isDone && isIdle && areLabelsDone && (relays + labelers).allSatisfy { $0.held == 0 },
            eventsProduced: await producer.produced, prebuiltLeft: prebuiltLeft,
            faultsWaiting: await producer.faultsWaiting + labels.faultsWaiting, faults: counters.byName, relays: relays,
            labelsProduced: await labels.produced, labelers: labelers, recordLines: lines.kept, recordLinesDropped: lines.dropped)
    }
}
