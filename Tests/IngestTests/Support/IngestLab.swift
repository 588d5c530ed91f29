import Events
import Flow
import Logging
import ServiceLifecycle

@testable import Ingest

/// One or more replicas of an ingester against a scripted relay and a fleet in memory.
struct IngestLab: Sendable {
    let fleet: MemoryFleet
    let relay: ScriptedRelay
    let feed: Feed
    let configuration: FeedIngesterConfiguration
    let host: String
    /// Where entries go: the fleet in memory, or a real Redis.
    let streams: any EntryStreams
    /// Where leases and sessions are: the fleet in memory, or a real Postgres.
    let ledger: any UpstreamLedger
    let directory = TestLabelerDirectory()

    /// Quick intervals: tests wait for states, and these say how soon they come. A lease outlives every test: where its end matters the test says when.
    static func configuration(port: Int) throws -> FeedIngesterConfiguration {
        var configuration = FeedIngesterConfiguration(hosts: [try WebSocketEndpoint("ws://127.0.0.1:\(port)")])
        configuration.leaseTimeToLive = .seconds(3_600)
        configuration.leaseRenewal = .milliseconds(50)
        configuration.barrierInterval = .milliseconds(20)
        configuration.levelInterval = .milliseconds(10)
        configuration.reportInterval = .milliseconds(100)
        configuration.connection = WebSocketOptions.patient
        configuration.reconnect.base = .milliseconds(10)
        configuration.reconnect.cap = .milliseconds(100)
        return configuration
    }

    /// Runs `body` beside a relay; every replica that it starts ends with it.
    static func run(
        _ feed: Feed = .firehose, shards: Int = 4, relay: ScriptedRelay = ScriptedRelay(), streams: (any EntryStreams)? = nil,
        ledger: (any UpstreamLedger)? = nil,
        change: @escaping @Sendable (inout FeedIngesterConfiguration) -> Void = { _ in },
        _ body: @escaping @Sendable (IngestLab) async throws -> Void
    ) async throws {
        try await WebSocketScript.serve { _, peer in
            try await relay.serve(&peer)
        } client: { server in
            var configuration = try configuration(port: server.port)
            change(&configuration)
            let fleet = MemoryFleet(shards: shards)
            let host = "127.0.0.1:\(server.port)"
            try await body(
                IngestLab(
                    fleet: fleet, relay: relay, feed: feed, configuration: configuration, host: host, streams: streams ?? fleet,
                    ledger: ledger ?? fleet))
        }
    }

    func ingester(_ worker: String = "a", seams: FaultSeams = .off) -> FeedIngester {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return FeedIngester(
            feed, configuration: configuration, upstreams: ledger, entries: streams, worker: WorkerID(worker), directory: directory, logger: logger,
            seams: seams)
    }

    /// Runs a replica while `body` runs, then ends it as a kill would: by cancellation, without a drain.
    func withReplica(_ worker: String = "a", _ body: @escaping @Sendable () async throws -> Void) async throws {
        let ingester = ingester(worker)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await ingester.run() }
            try await body()
            group.cancelAll()
        }
    }

    /// Runs a replica while `body` runs, then shuts it down gracefully.
    func withGracefulReplica(_ worker: String = "a", _ body: @escaping @Sendable () async throws -> Void) async throws {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let services = ServiceGroup(services: [ingester(worker)], logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await services.run() }
            try await body()
            await services.triggerGracefulShutdown()
            try await group.waitForAll()
        }
    }
}
