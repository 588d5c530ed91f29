public import Broker
internal import CoreMetrics
public import Events
public import Ledger
public import Logging
internal import Metrics
public import ServiceLifecycle

/// The worker of a fleet: owns a fair share of all shards by lease, and runs the pipelines of each, from its streams to its logs.
///
/// Any number of processes run it; which owns what is settled through the ledger. On a graceful shutdown running batches commit, leases are given
/// back and the heartbeat goes, within ``WorkerConfiguration/drainTimeout``; what is not done by then is abandoned and read again by the next owner.
/// A crash leaves leases that run out, and nothing half done: a batch is one transaction under the lease's token.
public struct WorkerService: Service {
    private let configuration: WorkerConfiguration
    private let ledger: Ledger
    private let streams: WorkStreams
    private let snapshots: SnapshotStreams?
    private let turns: SnapshotTurns
    private let worker: WorkerID
    private let clock: WorkClock
    private let logger: Logger

    /// - Parameters:
    ///   - streams: carries the number of shards, as the ledger has it.
    ///   - snapshots: where fetchers write; not looked at where nothing is tracked.
    ///   - turns: shared with the process's fetcher.
    ///   - worker: this process's name, as its Postgres connections carry it.
    public init(
        configuration: WorkerConfiguration, ledger: Ledger, streams: WorkStreams, snapshots: SnapshotStreams? = nil, turns: SnapshotTurns? = nil,
        worker: WorkerID, logger: Logger
    ) {
        self.turns = turns ?? SnapshotTurns(delayTarget: .milliseconds(50))
        self.snapshots = configuration.tracking.isTracked ? snapshots : nil
        self.configuration = configuration
        self.ledger = ledger
        self.streams = streams
        self.worker = worker
        self.logger = logger
        clock = .system
    }

    public func run() async throws {
        let bell = Bell()
        let totals = WorkTotals()
        let identities = IdentityResolver(configuration: configuration.identities, ledger: ledger, clock: clock, logger: logger)
        let labelKeys = LabelKeyResolver(configuration: configuration.identities, ledger: ledger, clock: clock, logger: logger)
        let fleet = ShardFleet(
            worker: worker, shards: streams.shards.count, ledger: ledger, configuration: configuration, clock: clock, logger: logger, bell: bell)
        let context = WorkContext(
            configuration: configuration, ledger: ledger, streams: streams, snapshots: snapshots, turns: turns, identities: identities,
            labelKeys: labelKeys, labelSources: LabelSources(ledger: ledger, clock: clock, logger: logger), totals: totals,
            room: BatchRoom(bytes: configuration.roomBytes), clock: clock, logger: logger)
        let draining = StopSignal()
        try await withGracefulShutdownHandler {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await identities.run() }
                group.addTask { try await labelKeys.run() }
                group.addTask { await report(totals, fleet) }
                group.addTask { await giveTurns() }
                group.addTask { await own(fleet, context, bell, until: draining) }
                try await group.waitForAll()
            }
        } onGracefulShutdown: {
            draining.set()
            bell.ring()
        }
    }

    private func giveTurns() async {
        guard let snapshots else { return }
        await cancelWhenGracefulShutdown { await turns.run(snapshots, every: .milliseconds(100), logger: logger) }
    }

    /// The lease rounds, with the pipelines they start as children.
    private func own(_ fleet: ShardFleet, _ context: WorkContext, _ bell: Bell, until draining: StopSignal) async {
        await withDiscardingTaskGroup { group in
            var drainUntil: MonotonicTime?
            while !Task.isCancelled {
                if draining.isSet, drainUntil == nil {
                    drainUntil = clock.monotonic() + configuration.drainTimeout
                    await fleet.drain()
                }
                for start in await fleet.round() {
                    group.addTask { await fleet.ended(start.lease, await ShardPipelines(start: start, context: context).run()) }
                }
                if let drainUntil {
                    let left = drainUntil - clock.monotonic()
                    if left <= .zero { break }
                    if await fleet.ownedShards.isEmpty { break }
                    await bell.wait(atMost: min(left, configuration.leaseRenewal))
                } else {
                    await bell.wait(atMost: configuration.leaseRenewal * Double.random(in: 0.8...1.2))
                }
            }
            group.cancelAll()
        }
        await fleet.close()
    }

    /// One line each interval, the backlog of the shards that are owned, and the log's partitions for the days ahead.
    private func report(_ totals: WorkTotals, _ fleet: ShardFleet) async {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await makePartitions()
                try? await Task.sleep(for: configuration.reportEvery)
                let counts = totals.take()
                let shards = await fleet.ownedShards
                logger.info(
                    "metric.events_inserted",
                    metadata: [
                        "count": "\(counts.events)", "batches": "\(counts.batches)", "refused": "\(counts.refused)", "held": "\(counts.held)",
                        "duplicates": "\(counts.duplicates)", "lag_ms_max": "\(counts.lagMsMax)", "shards": "\(shards.count)",
                    ])
                await recordBacklog(shards)
            }
        }
    }

    private func recordBacklog(_ shards: [Shard]) async {
        do {
            for (topic, label) in [(WorkTopic.firehose, "weir_backlog_entries"), (.labels, "weir_label_backlog_entries")] {
                let levels = try await streams.on(topic).levels()
                for shard in shards where levels.entries.indices.contains(shard) {
                    let backlog = max(0, levels.entries[shard] - configuration.inspectionTail)
                    Gauge(label: label, dimensions: [("shard", "\(shard)")]).record(backlog)
                }
            }
        } catch {
            logger.debug("backlog not measured", metadata: ["error": "\(error)"])
        }
    }

    private func makePartitions() async {
        do { try await ledger.makePartitions(daysAhead: 3) } catch {
            logger.warning("partitions not made, the default one takes the rows", metadata: ["error": "\(error)"])
        }
    }
}
