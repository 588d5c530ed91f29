public import Broker
public import Events
internal import Flow
internal import Hosts
public import Ledger
public import Logging
public import ServiceLifecycle

/// Fetches repositories: takes jobs from the queue, and writes what was verified to the shards' backfill streams.
///
/// Any number of processes run it. A job is taken from the consumer group and claimed in the ledger, which numbers the attempt; while it goes on, both hear
/// of it. On a graceful shutdown attempts under way are given up and put back. A crash leaves a job that another process takes over once it was silent for
/// ``FetchConfiguration/silence``, and a prefix of an attempt that is void then.
public struct FetchService: Service {
    private let parts: FetchParts
    private let snapshotTurns: SnapshotTurns?
    private let queue: JobQueue
    private let consumer: String
    private let jobs = FetchesUnderWay()
    private let connections: HostConnections

    /// - Parameter turns: of the process's worker: while few parts are applied, few are fetched; nil where it has none.
    public init(
        configuration: FetchConfiguration, tracking: TrackingConfiguration, ledger: Ledger, snapshots: SnapshotStreams, queue: JobQueue,
        turns: SnapshotTurns? = nil, worker: WorkerID, logger: Logger, seams: FaultSeams = .off
    ) {
        snapshotTurns = turns
        let clock = WorkClock.system
        let connections = HostConnections(configuration.connections)
        let slots = FetchSlots(
            limits: .init(atOnce: configuration.concurrency),
            budget: HostBudget(
                limits: .init(
                    requestsAtOnce: configuration.hostConcurrency, startInterval: .seconds(1) / max(1, configuration.hostRate),
                    startsAtOnce: max(1, configuration.hostRate))))
        var hosts = HostClientConfiguration()
        hosts.repositoryBytes = configuration.repositoryBytesMax
        let gathered = FetchLedger(ledger, queue, configuration)
        self.connections = connections
        self.queue = queue
        consumer = worker.description
        parts = FetchParts(
            configuration: configuration, ledger: ledger, gathered: gathered, snapshots: snapshots,
            gate: SnapshotGate(
                streams: snapshots, high: configuration.highWaterEntries, memoryHigh: configuration.highWaterMemory, logger: logger),
            turns: HostTurns(slots: slots, clock: clock),
            hosts: HostClient(hosts, connections: connections, wall: clock.wall),
            identities: FetchIdentities(
                ledger: gathered, documents: DIDFetcher(configuration.documents, connections: connections), lifetime: configuration.identityLifetime,
                clock: clock), tracking: tracking, seams: seams, clock: clock, logger: logger)
    }

    public func run() async throws {
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await parts.turns.run() }
                group.addTask { await parts.gate.run() }
                group.addTask { await heartbeats() }
                group.addTask { await takeJobs() }
            }
        }
        await connections.close()
    }

    /// Jobs in hand: more than are asked for at once, so that one whose host is slow holds up no other.
    private var room: Int {
        let most = max(1, parts.configuration.concurrency * 4)
        return snapshotTurns?.fetches(of: most) ?? most
    }

    private func takeJobs() async {
        await withDiscardingTaskGroup { group in
            var scan = EntryID.zero
            var nextScan = parts.clock.monotonic()
            while !Task.isCancelled {
                var taken: [QueuedJob] = []
                do {
                    let free = room - jobs.count
                    if free > 0 {
                        if parts.clock.monotonic() >= nextScan {
                            let found = try await queue.takeOver(consumer: consumer, idle: parts.configuration.silence, from: scan, count: free)
                            (taken, scan) = found
                            if scan == .zero { nextScan = parts.clock.monotonic() + .seconds(5) }
                        }
                        if taken.count < free { taken += try await queue.read(consumer: consumer, count: free - taken.count) }
                    }
                } catch {
                    parts.logger.debug("no jobs can be had", metadata: ["error": "\(error)"])
                }
                for job in taken {
                    guard jobs.begin(job) else {
                        await drop(job)
                        continue
                    }
                    group.addTask {
                        await work(job)
                        jobs.end(job)
                    }
                }
                if taken.isEmpty { try? await Task.sleep(for: parts.configuration.poll * Double.random(in: 0.5...1.5)) }
            }
            group.cancelAll()
        }
    }

    /// The queue has a job twice that is in hand: one entry is too many. The other one stays until the job's end.
    private func drop(_ queued: QueuedJob) async {
        guard !jobs.isInHand(queued.id) else { return }
        do { try await queue.acknowledge([queued.id]) } catch {
            parts.logger.debug("a repeated job could not be dropped", metadata: ["did": "\(queued.did)", "error": "\(error)"])
        }
    }

    private func work(_ queued: QueuedJob) async {
        do {
            let claimed = try await parts.gathered.claim(queued.did)
            if let job = claimed, queued.deliveries > parts.configuration.deliveriesMax {
                let error = "\(queued.deliveries - 1) fetchers took it and none came to its end"
                parts.logger.error("a job is given up", metadata: ["did": "\(queued.did)", "error": "\(error)"])
                try await parts.ledger.buryJob(job.did, error: error, attempts: queued.deliveries - 1)
            } else if let job = claimed {
                jobs.claimed(queued, job)
                try await attempt(job)
            }
            try await parts.gathered.acknowledge(queued.id)
        } catch {
            // It stays pending under our name, and is taken over once it was silent for long enough.
            parts.logger.info("an attempt broke off", metadata: ["did": "\(queued.did)", "error": "\(error)"])
        }
    }

    /// An attempt that this process gives up puts its job back at once.
    private func attempt(_ job: ClaimedJob) async throws {
        do {
            var attempt = FetchAttempt(parts, job)
            try await attempt.run()
        } catch {
            let isEnding = Task.isCancelled
            let ledger = parts.ledger
            let delay: Duration = isEnding ? .zero : .seconds(5)
            // Its own task: this one may be cancelled, and the job must not wait for that.
            try await Task {
                try await ledger.returnJob(job, host: job.host, error: isEnding ? "" : "\(error)", retryAfter: delay, isFailure: false)
            }.value
            if !isEnding { parts.logger.warning("a repository was not fetched", metadata: ["did": "\(job.did)", "error": "\(error)"]) }
        }
    }

    /// Tells queue and ledger which jobs go on, and forgets consumers that are gone.
    private func heartbeats() async {
        var round = 0
        while !Task.isCancelled {
            try? await Task.sleep(for: parts.configuration.heartbeat)
            let underWay = jobs.claimedJobs
            round += 1
            do {
                try await queue.touch(underWay.map(\.queued.id), consumer: consumer)
                _ = try await parts.ledger.touchJobs(
                    underWay.map { ($0.job.did, $0.job.attempt) }, deadline: parts.configuration.attemptDeadline)
                if round.isMultiple(of: 30) { try await queue.reapConsumers(idle: .seconds(600), except: consumer) }
            } catch {
                parts.logger.debug("jobs under way could not be told", metadata: ["error": "\(error)"])
            }
        }
    }
}
