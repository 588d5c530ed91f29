public import Broker
public import Events
public import Ledger
public import Logging
public import ServiceLifecycle

/// Reads one feed of all configured upstreams into the work streams, each upstream under its lease.
///
/// Any number of replicas may run: one reads an upstream, the others stand by. An upstream's failure never touches another's, and the service ends
/// only with a shutdown: then it stops reading, writes what it has read and a last barrier, and gives its leases back, within about 4 s.
/// A crash leaves entries behind that no barrier covers; the next owner opens a session at the committed watermark or the hint, and workers drop repeats.
public struct FeedIngester: Service {
    public let feed: Feed
    public let configuration: FeedIngesterConfiguration
    private let directory: (any LabelerDirectory)?
    private let ledger: any UpstreamLedger
    private let streams: any EntryStreams
    private let worker: WorkerID
    private let logger: Logger
    private let seams: FaultSeams

    /// Two upstreams of one name would share a lease, and so one would never be read.
    public struct DuplicateHost: Error, Hashable, CustomStringConvertible {
        public let host: String
        public var description: String { "the upstream \(host) is configured twice" }
    }

    /// - Parameters:
    ///   - streams: of the feed's topic.
    ///   - directory: tells where the labelers are that are configured by their DIDs; closed at the end.
    public init(
        _ feed: Feed, configuration: FeedIngesterConfiguration, ledger: Ledger, streams: WorkStreams, worker: WorkerID,
        directory: (any LabelerDirectory)? = nil, logger: Logger, seams: FaultSeams = .off
    ) {
        self.init(
            feed, configuration: configuration, upstreams: ledger, entries: streams, worker: worker, directory: directory, logger: logger,
            seams: seams)
    }

    init(
        _ feed: Feed, configuration: FeedIngesterConfiguration, upstreams: any UpstreamLedger, entries: any EntryStreams, worker: WorkerID,
        directory: (any LabelerDirectory)? = nil, logger: Logger, seams: FaultSeams = .off
    ) {
        self.feed = feed
        self.directory = directory
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
        for source in configuration.sources where !seen.insert(source.host).inserted { throw DuplicateHost(host: source.host) }
        let gate = FeedGate(streams: streams, ledger: ledger, configuration: configuration, logger: logger)
        await gate.measure()
        await withDiscardingTaskGroup { group in
            group.addTask { await gate.run() }
            for source in configuration.sources {
                let upstream = FeedUpstream(
                    feed: feed, source: source, directory: directory, configuration: configuration, ledger: ledger, streams: streams, gate: gate,
                    worker: worker, seams: seams,
                    logger: logger)
                group.addTask { await upstream.run() }
            }
        }
        await directory?.close()
    }
}
