public import Broker
public import Events
import Hosts
public import Ledger
public import Logging
public import ServiceLifecycle

/// Lists the repositories of all configured hosts as jobs, and feeds jobs into the stream from which workers fetch.
///
/// Any number of replicas may run: one lists a host, one feeds, the others stand by. A host's failure never touches another's, and the service ends
/// only with a shutdown: then a page under way is given up, which is asked for again, and leases are given back. With the scope `live` it says that there
/// is nothing to do, and waits.
public struct BackfillIngester: Service {
    public let configuration: BackfillIngesterConfiguration
    private let hosts: [BackfillHost]?
    private let ledger: Ledger
    private let queue: JobQueue
    private let shards: ShardMap
    private let worker: WorkerID
    private let seams: FaultSeams
    private let logger: Logger

    /// Two hosts of one name would share a lease, and so one would never be listed; the feeder's lease has a name too.
    public struct DuplicateHost: Error, Hashable, CustomStringConvertible {
        public let host: String
        public var description: String { host == JobFeeder.host ? "no host may be called \(host)" : "the host \(host) is configured twice" }
    }

    public init(
        configuration: BackfillIngesterConfiguration, ledger: Ledger, queue: JobQueue, shards: ShardMap, worker: WorkerID, logger: Logger,
        seams: FaultSeams = .off
    ) {
        self.init(
            configuration: configuration, hosts: nil, ledger: ledger, queue: queue, shards: shards, worker: worker, logger: logger, seams: seams)
    }

    /// - Parameter hosts: nil: those of the configuration, over HTTP.
    init(
        configuration: BackfillIngesterConfiguration, hosts: [BackfillHost]?, ledger: Ledger, queue: JobQueue, shards: ShardMap, worker: WorkerID,
        logger: Logger, seams: FaultSeams = .off
    ) {
        self.configuration = configuration.clamped()
        self.hosts = hosts
        self.ledger = ledger
        self.queue = queue
        self.shards = shards
        self.worker = worker
        self.seams = seams
        self.logger = logger
    }

    /// - Throws: ``DuplicateHost`` at start; nothing else ends it but a shutdown or a cancellation.
    public func run() async throws {
        guard configuration.scope.tracks else {
            logger.notice("repos.scope is live: there is nothing to list and nothing to feed")
            return await Pause.untilShutdown()
        }
        guard configuration.scope.enumerates else { return try await run([]) }
        if let hosts { return try await run(hosts) }
        let connections = HostConnections(HostConnectionConfiguration(trustedHosts: Set(configuration.hosts)))
        let client = HostClient(connections: connections, wall: { ProcessClock.wall })
        let result: Result<Void, any Error>
        do {
            let listers = configuration.hosts.map { BackfillHost(name: $0.authority, lister: HostLister(client: client, endpoint: $0)) }
            result = .success(try await run(listers))
        } catch {
            result = .failure(error)
        }
        await connections.close()
        try result.get()
    }

    private func run(_ hosts: [BackfillHost]) async throws {
        var seen: Set = [JobFeeder.host]
        for host in hosts where !seen.insert(host.name).inserted { throw DuplicateHost(host: host.name) }
        let list: RepositoryList =
            if configuration.scope == .collection, let signal = configuration.signal { .holding(collection: signal) } else { .all }
        await withDiscardingTaskGroup { group in
            let feeder = JobFeeder(configuration: configuration, ledger: ledger, queue: queue, chosen: chosenFile, seams: seams, logger: logger)
            group.addTask { await feeder.run(worker: worker) }
            for host in hosts {
                let enumerator = HostEnumerator(
                    host: host, list: list, configuration: configuration, ledger: ledger, shards: shards, seams: seams, logger: logger)
                group.addTask { await enumerator.run(worker: worker) }
            }
        }
    }

    private var chosenFile: ChosenFile? {
        guard configuration.scope == .chosen, let path = configuration.file else { return nil }
        return ChosenFile(path: path, interval: configuration.fileInterval, ledger: ledger, shards: shards, logger: logger)
    }
}
