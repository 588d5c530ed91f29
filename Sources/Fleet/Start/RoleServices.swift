import ATProto
import Broker
import Events
import Flow
import Ingest
import Ledger
import Logging
import Outbox
import Serve
import ServiceLifecycle
import Work

/// From the configuration to the services of each role.
struct RoleServices: Sendable {
    let configuration: FleetConfiguration
    let connections: FleetConnections
    let shards: ShardMap
    let metrics: PrometheusMetrics
    let log: Logger

    private func logger(_ part: String) -> Logger {
        var logger = Logger(label: "weir.\(part)")
        logger[metadataKey: "process"] = "\(connections.name)"
        return logger
    }

    /// Reads every configured relay under its lease.
    func ingestFirehose() throws -> any Service {
        let hosts = try endpoints("relay.hosts", configuration.relayHosts)
        guard !hosts.isEmpty else {
            throw ConfigurationError(problems: [configuration.problem("relay.hosts", "at least one relay is needed")])
        }
        let ingest = feed(hosts: hosts, start: configuration.relayStart, futureCursor: configuration.relayFutureCursor)
        return FeedIngester(
            .firehose, configuration: ingest, ledger: connections.ledger, streams: connections.workStreams(shards), worker: connections.name,
            logger: logger("ingest"), seams: connections.seams)
    }

    /// Reads every configured labeler under its lease. Without any it idles, so that the role may stand in every fleet.
    func ingestLabeler() throws -> any Service {
        var ingest = feed(
            hosts: try endpoints("labeler.hosts", configuration.labelerHosts), start: configuration.labelerStart,
            futureCursor: configuration.labelerFutureCursor)
        ingest.labelers = configuration.labelerDIDs
        let logger = logger("ingest-labeler")
        if !configuration.hasLabelers { logger.notice("no labelers are configured: labeler.hosts and labeler.dids are empty") }
        return FeedIngester(
            .labels, configuration: ingest, ledger: connections.ledger, streams: connections.workStreams(shards).on(.labels),
            worker: connections.name, logger: logger, seams: connections.seams)
    }

    /// What both feeds have in common.
    private func feed(hosts: [WebSocketEndpoint], start: String, futureCursor: String) -> FeedIngesterConfiguration {
        var ingest = FeedIngesterConfiguration(hosts: hosts)
        if let start = FeedStart(start) { ingest.start = start }
        if let policy = FutureCursorPolicy(rawValue: futureCursor) { ingest.futureCursor = policy }
        ingest.highWater = HighWaterGate.Limits(
            highEntries: configuration.highWaterEntries, highBytes: configuration.highWaterBytes,
            memoryFraction: Double(configuration.highWaterMemoryPercent) / 100)
        ingest.keptTailEntries = configuration.streamTailEntries
        ingest.drainLimit = min(ingest.drainLimit, configuration.shutdownGrace / 2)
        ingest.leaseTimeToLive = configuration.leaseTTL
        ingest.leaseRenewal = configuration.leaseRenewal
        return ingest
    }

    /// The shard pipeline, and the publisher of what it logs.
    func worker() throws -> [any Service] {
        var publisher = PublisherConfiguration()
        publisher.batchEvents = configuration.publisherBatchEvents
        publisher.pollEvery = configuration.publisherPoll
        publisher.keepEntries = configuration.outletKeepEntries
        publisher.leaseTTL = min(configuration.leaseTTL, .seconds(60))
        let worker = workerConfiguration()
        try check(publisher.problems() + worker.problems())
        let streams = connections.workStreams(shards)
        return [
            PublisherService(
                configuration: publisher, ledger: connections.ledger, outlet: connections.outlets, worker: connections.name,
                logger: logger("publisher"), seams: connections.seams),
            WorkerService(configuration: worker, ledger: connections.ledger, streams: streams, worker: connections.name, logger: logger("work")),
        ]
    }

    private func workerConfiguration() -> WorkerConfiguration {
        var worker = WorkerConfiguration()
        worker.seams = connections.seams
        worker.mode = configuration.isStrict ? .strict : .lenient
        worker.batchEntries = configuration.workerBatchEntries
        worker.batchBytes = configuration.workerBatchBytes
        worker.predecessorWait = configuration.predecessorWait
        worker.identityWait = configuration.identityWait
        worker.inspectionTail = configuration.streamTailEntries
        worker.leaseTimeToLive = configuration.leaseTTL
        worker.leaseRenewal = configuration.leaseRenewal
        worker.drainTimeout = min(worker.drainTimeout, configuration.shutdownGrace * 0.75)
        worker.identities.plcURL = configuration.plcURL
        worker.identities.allowPrivateHosts = configuration.allowsPrivateHosts
        worker.identities.lifetime = configuration.identityLifetime
        worker.identities.concurrentFetches = configuration.identityFetches
        return worker
    }

    func api(onServing: @escaping @Sendable (BindAddress) -> Void) throws -> any Service {
        let bind = configuration.apiBind
        if !bind.isLoopback {
            logger("api").warning("there is no authentication: whoever reaches this address reads everything", metadata: ["bind": "\(bind)"])
        }
        return try APIService(
            configuration: try server(bind), ledger: connections.ledger, outlet: connections.outlets, streams: connections.workStreams(shards),
            shards: shards, metrics: metrics, logger: logger("api"), seams: connections.seams,
            onBound: { onServing(BindAddress(host: bind.host, port: $0)) })
    }

    /// `/health`, `/ready` and `/metrics` of a process without the API: ready is judged by what it owns, so that a stand-by is ready too.
    func operations(onServing: @escaping @Sendable (BindAddress) -> Void) throws -> any Service {
        let bind = configuration.operationsBind
        let readiness = LedgerReadiness(ledger: connections.ledger, process: connections.name, stallAfter: configuration.readyStallAfter)
        return try OperationsService(
            configuration: try server(bind), readiness: [readiness], metrics: metrics, logger: logger("operations"),
            onBound: { onServing(BindAddress(host: bind.host, port: $0)) })
    }

    private func server(_ bind: BindAddress) throws -> ServerConfiguration {
        let server = Self.server(bind, configuration)
        try check(server.problems())
        return server
    }

    static func server(_ bind: BindAddress, _ configuration: FleetConfiguration) -> ServerConfiguration {
        var server = ServerConfiguration()
        server.bind = "\(bind)"
        server.connectionsMax = configuration.apiClients
        server.heartbeatEvery = configuration.apiHeartbeat
        server.streamBufferBytes = configuration.apiClientBuffer
        server.stallAfter = configuration.readyStallAfter
        server.drainTimeout = min(configuration.shutdownGrace / 2, server.drainTimeout)
        return server
    }

    private func endpoints(_ key: String, _ hosts: [String]) throws -> [WebSocketEndpoint] {
        var endpoints: [WebSocketEndpoint] = []
        for host in hosts {
            do {
                endpoints.append(try WebSocketEndpoint(host))
            } catch {
                throw ConfigurationError(problems: [configuration.problem(key, "\(host): \(error)")])
            }
        }
        return endpoints
    }

    private func check(_ problems: [String]) throws {
        if !problems.isEmpty { throw FleetError(code: .refused, message: problems.joined(separator: "; ")) }
    }
}
