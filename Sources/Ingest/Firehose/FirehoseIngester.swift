public import Broker
public import Events
public import Ledger
public import Logging
public import ServiceLifecycle

/// Reads the firehoses of all configured hosts into the work streams, each host under its lease.
///
/// Any number of replicas may run: one reads a host, the others stand by. A host's failure never touches another's, and the service ends
/// only with a shutdown: then it stops reading, writes what it has read and a last barrier, and gives its leases back, within about 4 s.
/// A crash leaves entries behind that no barrier covers; the next owner opens a session at the committed watermark or the hint, and workers drop repeats.
public struct FirehoseIngester: Service {
    public let configuration: FirehoseIngesterConfiguration
    private let ledger: any UpstreamLedger
    private let streams: any EntryStreams
    private let worker: WorkerID
    private let logger: Logger
    private let seams: FaultSeams

    /// Two hosts of one name would share a lease, and so one would never be read.
    public struct DuplicateHost: Error, Hashable, CustomStringConvertible {
        public let host: String
        public var description: String { "the upstream \(host) is configured twice" }
    }

    public init(
        configuration: FirehoseIngesterConfiguration, ledger: Ledger, streams: WorkStreams, worker: WorkerID, logger: Logger,
        seams: FaultSeams = .off
    ) {
        self.init(configuration: configuration, upstreams: ledger, entries: streams, worker: worker, logger: logger, seams: seams)
    }

    init(
        configuration: FirehoseIngesterConfiguration, upstreams: any UpstreamLedger, entries: any EntryStreams, worker: WorkerID, logger: Logger,
        seams: FaultSeams = .off
    ) {
        self.configuration = configuration.clamped()
        ledger = upstreams
        streams = entries
        self.worker = worker
        self.logger = logger
        self.seams = seams
    }

    /// - Throws: ``DuplicateHost`` at start; nothing else ends it but a shutdown or a cancellation.
    public func run() async throws {
        var seen = Set<String>()
        for host in configuration.hosts where !seen.insert(host.authority).inserted { throw DuplicateHost(host: host.authority) }
        let gate = FirehoseGate(streams: streams, ledger: ledger, configuration: configuration, logger: logger)
        await gate.measure()
        await withDiscardingTaskGroup { group in
            group.addTask { await gate.run() }
            for host in configuration.hosts {
                let upstream = FirehoseUpstream(
                    endpoint: host, configuration: configuration, ledger: ledger, streams: streams, gate: gate, worker: worker, seams: seams,
                    logger: logger)
                group.addTask { await upstream.run() }
            }
        }
    }
}
