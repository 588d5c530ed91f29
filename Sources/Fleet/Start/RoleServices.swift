import ATProto
import Broker
import Events
import Flow
import Foundation
import Hosts
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

    func logger(_ part: String) -> Logger {
        var logger = Logger(label: "weir.\(part)")
        logger[metadataKey: "process"] = "\(connections.name)"
        return logger
    }

    /// Reads every configured relay under its lease.
    func ingestFirehose() throws -> any Service {
        let ingest = feed(
            hosts: try addresses(configuration.relayHosts, of: "relay.hosts") { try WebSocketEndpoint($0) }, start: configuration.relayStart,
            futureCursor: configuration.relayFutureCursor)
        return FeedIngester(
            .firehose, configuration: ingest, ledger: connections.ledger, streams: connections.workStreams(shards), worker: connections.name,
            logger: logger("ingest"), seams: connections.seams)
    }

    /// Reads every configured labeler under its lease. Without any it idles, so that the role may stand in every fleet.
    func ingestLabeler() throws -> any Service {
        var ingest = feed(
            hosts: configuration.labelerHosts.isEmpty
                ? [] : try addresses(configuration.labelerHosts, of: "labeler.hosts") { try WebSocketEndpoint($0) },
            start: configuration.labelerStart, futureCursor: configuration.labelerFutureCursor)
        ingest.labelers = configuration.labelerDIDs
        let logger = logger("ingest-labeler")
        let directory = DocumentLabelers(
            DIDFetcherConfiguration(plcURL: configuration.plcURL), allowsPrivateHosts: configuration.allowsPrivateHosts)
        if !configuration.hasLabelers { logger.notice("no labelers are configured: labeler.hosts and labeler.dids are empty") }
        return FeedIngester(
            .labels, configuration: ingest, ledger: connections.ledger, streams: connections.workStreams(shards).on(.labels),
            worker: connections.name, directory: directory, logger: logger, seams: connections.seams)
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
        ingest.reconnect.cap = configuration.relayReconnectMax
        return ingest
    }

    /// Lists repositories and feeds those that are to be fetched.
    func ingestBackfill() throws -> any Service {
        var backfill = BackfillIngesterConfiguration(scope: configuration.reposScope)
        backfill.signal = configuration.reposSignal
        backfill.file = configuration.reposFile
        if backfill.scope.enumerates { backfill.hosts = try addresses(configuration.backfillHosts, of: "backfill.hosts") { try HostEndpoint($0) } }
        backfill.pageEntries = configuration.backfillPage
        backfill.jobsMax = configuration.backfillJobsMax
        backfill.queueHighWater = configuration.backfillQueueHighWater
        backfill.poll = configuration.backfillPoll
        backfill.leaseTimeToLive = configuration.leaseTTL
        backfill.leaseRenewal = configuration.leaseRenewal
        return BackfillIngester(
            configuration: backfill, ledger: connections.ledger, queue: connections.jobQueue, shards: shards, worker: connections.name,
            logger: logger("backfill"), seams: connections.seams)
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
        let turns = SnapshotTurns(delayTarget: configuration.backfillLiveDelay)
        var services: [any Service] = [
            PublisherService(
                configuration: publisher, ledger: connections.ledger, outlet: connections.outlets, worker: connections.name,
                logger: logger("publisher"), seams: connections.seams),
            WorkerService(
                configuration: worker, ledger: connections.ledger, streams: streams, snapshots: connections.snapshotStreams(shards),
                turns: turns, worker: connections.name, logger: logger("work")),
        ]
        services.append(try retention())
        services.append(sinks())
        if worker.tracking.isTracked { services.append(try fetcher(tracking: worker.tracking, turns)) }
        return services
    }

    /// Fetches the repositories that jobs ask for, in every worker.
    private func fetcher(tracking: TrackingConfiguration, _ turns: SnapshotTurns) throws -> any Service {
        var fetch = FetchConfiguration()
        fetch.concurrency = configuration.fetchConcurrency
        fetch.hostConcurrency = configuration.fetchHostConcurrency
        fetch.hostRate = configuration.fetchHostRate
        fetch.fallbackHosts = try addresses(configuration.fetchFallbackHosts, of: "fetch.fallback_hosts") { try HostEndpoint($0) }
        fetch.spoolFolder = configuration.fetchSpool ?? FileManager.default.temporaryDirectory.path
        fetch.repositoryBytesMax = configuration.fetchRepoBytesMax
        fetch.highWaterEntries = configuration.fetchHighWater
        fetch.highWaterMemory = Double(configuration.highWaterMemoryPercent) / 100
        fetch.identityLifetime = configuration.identityLifetime
        fetch.connections.allowPrivateHosts = configuration.allowsPrivateHosts
        // Whoever configured them says that they may be asked, whatever their addresses are.
        fetch.connections.trustedHosts = Set(fetch.fallbackHosts)
        fetch.documents.plcURL = configuration.plcURL
        return FetchService(
            configuration: fetch, tracking: tracking, ledger: connections.ledger, snapshots: connections.snapshotStreams(shards),
            queue: connections.jobQueue, turns: turns, worker: connections.name, logger: logger("fetch"), seams: connections.seams)
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
        worker.tracking = TrackingConfiguration(
            scope: configuration.reposScope, signal: configuration.reposSignal ?? "", collections: configuration.reposCollections)
        worker.identities.plcURL = configuration.plcURL
        worker.identities.allowPrivateHosts = configuration.allowsPrivateHosts
        worker.identities.lifetime = configuration.identityLifetime
        worker.identities.concurrentFetches = configuration.identityFetches
        return worker
    }

    func api(onServing: @escaping @Sendable (BindAddress) -> Void) throws -> any Service {
        let bind = configuration.apiBind
        let file = TokensFile(configuration, log: logger("api"))
        let access = try configuration.apiAccess()
        try configuration.checkAuthentication(access)
        if !bind.isLoopback, access.tokens.isEmpty {
            let may = configuration.apiAllowsWrites ? "reads everything, and changes repositories and runs" : "reads everything"
            logger("api").warning("there is no authentication: whoever reaches this address \(may)", metadata: ["bind": "\(bind)"])
        }
        return try APIService(
            configuration: try server(bind), ledger: connections.ledger, outlet: connections.outlets, streams: connections.workStreams(shards),
            shards: shards, scope: APIScope(isTracking: configuration.reposScope.tracks, allowsWrites: configuration.apiAllowsWrites),
            access: access, newAccess: { file?.changed() }, metrics: metrics, logger: logger("api"), seams: connections.seams,
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
        server.changesAtOnce = max(1, configuration.postgresConnections * 3 / 4)
        server.bodyBytesMax = configuration.apiBodyBytes
        server.bodiesBytesMax = max(server.bodiesBytesMax, configuration.apiBodyBytes * 4)
        server.stallAfter = configuration.readyStallAfter
        server.drainTimeout = min(configuration.shutdownGrace / 2, server.drainTimeout)
        return server
    }

    /// The addresses of a key, at least one.
    private func addresses<Address>(_ hosts: [String], of path: String, read: (String) throws -> Address) throws -> [Address] {
        var addresses: [Address] = []
        for host in hosts {
            do {
                addresses.append(try read(host))
            } catch {
                throw ConfigurationError(problems: [configuration.problem(path, "\(host): \(error)")])
            }
        }
        guard !addresses.isEmpty else {
            throw ConfigurationError(problems: [configuration.problem(path, "at least one host is needed")])
        }
        return addresses
    }

    private func check(_ problems: [String]) throws {
        if !problems.isEmpty { throw FleetError(code: .refused, message: problems.joined(separator: "; ")) }
    }
}
