import Broker
import Events
import Flow
import Ledger
import Logging
import ServiceLifecycle
import Synchronization

/// One upstream of a feed: stands by for its lease, and while it holds it keeps a connection and its sessions going.
///
/// Never throws and ends only with the process: every failure of this upstream is an end of a connection, a log line and a pause.
struct FeedUpstream: Sendable {
    let feed: Feed
    let source: FeedSource
    let directory: (any LabelerDirectory)?
    let configuration: FeedIngesterConfiguration
    let ledger: any UpstreamLedger
    let streams: any EntryStreams
    let gate: FeedGate
    let worker: WorkerID
    let seams: FaultSeams
    let progress: UpstreamProgress
    let logger: Logger

    init(
        feed: Feed, source: FeedSource, directory: (any LabelerDirectory)?, configuration: FeedIngesterConfiguration, ledger: any UpstreamLedger,
        streams: any EntryStreams, gate: FeedGate, worker: WorkerID, seams: FaultSeams, logger: Logger
    ) {
        self.feed = feed
        self.source = source
        self.directory = directory
        self.configuration = configuration
        self.ledger = ledger
        self.streams = streams
        self.gate = gate
        self.worker = worker
        self.seams = seams
        progress = UpstreamProgress(UpstreamName(kind: feed.kind, host: source.host))
        var logger = logger
        logger[metadataKey: "host"] = "\(source.host)"
        self.logger = logger
    }

    var host: String { source.host }
    private var name: UpstreamName { UpstreamName(kind: feed.kind, host: host) }
    private var isEnding: Bool { Task.isCancelled || Task.isShuttingDownGracefully }

    func run() async {
        let gateBell = gate.subscribe()
        var wasRefused = false
        while !isEnding {
            let start = ProcessClock.now
            do throws(LedgerError) {
                if let lease = try await ledger.acquireUpstream(name, worker: worker, ttl: configuration.leaseTimeToLive) {
                    logger.info("the lease is ours", metadata: ["token": "\(lease.token)"])
                    let ownership = UpstreamOwnership(
                        lease: lease, callStartedAt: start, ledger: ledger, worker: worker, timeToLive: configuration.leaseTimeToLive,
                        renewal: configuration.leaseRenewal, logger: logger)
                    await own(ownership, gateBell: gateBell)
                    wasRefused = false
                } else if !wasRefused {
                    logger.info("another replica reads this host; standing by")
                    wasRefused = true
                }
            } catch {
                logger.warning("the lease could not be asked for", metadata: ["error": "\(error)"])
            }
            // Jitter: replicas that lost the same owner do not ask in step.
            if !isEnding { await Pause.sleep(configuration.leaseRenewal * Double.random(in: 0.5...1)) }
        }
    }

    private func own(_ ownership: UpstreamOwnership, gateBell: Doorbell) async {
        _ = await ownership.renew()
        let end = await withTaskGroup(of: ConnectionEnd.self) { group in
            group.addTask { await ownership.keep() }
            group.addTask { await ownership.watch() }
            group.addTask { await report(ownership) }
            group.addTask { await connectAgainAndAgain(ownership, gateBell: gateBell) }
            let first = await group.next()
            group.cancelAll()
            return first ?? ConnectionEnd(.cancelled)
        }
        if end.cause == .leaseLost {
            logger.warning("the lease was lost; nothing more is appended", metadata: ["token": "\(ownership.lease.token)"])
            return
        }
        do throws(LedgerError) {
            try await ledger.releaseUpstream(ownership.lease)
        } catch {
            logger.info("the lease was not given back; it runs out by itself", metadata: ["error": "\(error)"])
        }
    }

    private func connectAgainAndAgain(_ ownership: UpstreamOwnership, gateBell: Doorbell) async -> ConnectionEnd {
        let retry = Mutex(RetryPolicy(limits: configuration.reconnect))
        let newNumbering = Mutex<FeedPlan?>(nil)
        while !isEnding {
            progress.connecting()
            let start = ProcessClock.now
            let end = await connect(ownership, gateBell, plan: newNumbering.withLock { $0 }) {
                retry.withLock { $0.succeeded(at: ProcessClock.now) }
                newNumbering.withLock { $0 = nil }
            }
            logEnd(end, since: start)
            switch end.cause {
            case .shutdown, .cancelled, .leaseLost:
                return end
            case .futureCursor(let position):
                switch configuration.futureCursor {
                case .live: newNumbering.withLock { $0 = .newNumbering(after: position) }
                case .earliest: newNumbering.withLock { $0 = .again(after: position) }
                case .stop:
                    logger.error("stopped: set the policy for future cursors to live to go on in a new epoch", metadata: ["position": "\(position)"])
                    return await stopped(end)
                }
            case .epochsExhausted:
                logger.error("stopped", metadata: ["error": "\(end)"])
                return await stopped(end)
            default:
                break
            }
            progress.became(.backingOff, reason: end.description)
            var generator = SystemRandomNumberGenerator()
            let pause = retry.withLock { $0.failed(at: ProcessClock.now, retryAfter: end.retryAfter, using: &generator) }
            await Pause.sleep(pause)
        }
        return ConnectionEnd(Task.isShuttingDownGracefully ? .shutdown : .cancelled)
    }

    /// Nothing but an operator makes it go on: keeps the lease and says so, until the process ends.
    private func stopped(_ end: ConnectionEnd) async -> ConnectionEnd {
        progress.became(.stopped, reason: end.description)
        await Pause.untilShutdown()
        return ConnectionEnd(.shutdown)
    }

    private func connect(
        _ ownership: UpstreamOwnership, _ gateBell: Doorbell, plan newNumbering: FeedPlan?, opened: @escaping @Sendable () -> Void
    ) async -> ConnectionEnd {
        do {
            var last: String?
            if case .labeler = source { last = try await ledger.endpoint(of: name) }
            let endpoint = try await source.endpoint(directory, last: last)
            let plan = if let newNumbering { newNumbering } else { try await self.plan(endpoint, last: last, ownership) }
            let connection = FeedConnection(
                upstream: self, ownership: ownership, gateBell: gateBell, plan: plan, endpoint: endpoint, logger: logger)
            guard case .labeler = source else { return await connection.run(opened: opened) }
            return await withTaskGroup(of: ConnectionEnd.self) { group in
                group.addTask { await connection.run(opened: opened) }
                group.addTask { await source.watch(endpoint, directory, every: configuration.resolveInterval) }
                let first = await group.next()
                group.cancelAll()
                return first ?? ConnectionEnd(.cancelled)
            }
        } catch {
            return ConnectionEnd(error)
        }
    }

    private func plan(_ endpoint: WebSocketEndpoint, last: String?, _ ownership: UpstreamOwnership) async throws -> FeedPlan {
        let hint = try await streams.cursorHint(host: host)
        // After the hint: what was committed meanwhile is only higher.
        let resume = try await ledger.resumePosition(name)
        if case .at(let position) = resume, let last, last != endpoint.description {
            logger.notice("the labeler has moved; all that it keeps is read again", metadata: ["from": "\(last)", "to": "\(endpoint)"])
            return .again(after: position)
        }
        return .next(resume: resume, hint: hint?.position, rewind: ownership.mustUseWatermark, start: configuration.start)
    }

    private func logEnd(_ end: ConnectionEnd, since start: MonotonicTime) {
        progress.connectionEnded(end)
        let snapshot = progress.snapshot
        logger.notice(
            "connection ended",
            metadata: [
                "duration_ms": "\((ProcessClock.now - start).milliseconds)", "events": "\(snapshot.report.events)",
                "bytes": "\(snapshot.report.bytes)",
                "cursor": "\(snapshot.report.position.map(\.description) ?? "")", "session": "\(snapshot.session.map { "\($0)" } ?? "")",
                "reason": "\(end.reason)", "detail": "\(end)",
            ])
    }

    /// The report in the ledger each few seconds, and the heartbeat line.
    private func report(_ ownership: UpstreamOwnership) async -> ConnectionEnd {
        var sinceHeartbeat: Duration = .zero
        while !Task.isCancelled {
            let snapshot = progress.snapshot
            do throws(LedgerError) {
                try await ledger.reportUpstream(ownership.lease, report: snapshot.report)
            } catch {
                if error.code == .fenced { return ConnectionEnd(.leaseLost) }
                logger.debug("the report was not stored", metadata: ["error": "\(error)"])
            }
            do { try await Task.sleep(for: configuration.reportInterval) } catch { break }
            sinceHeartbeat += configuration.reportInterval
            guard sinceHeartbeat >= configuration.heartbeatInterval else { continue }
            sinceHeartbeat = .zero
            logger.info(
                "heartbeat",
                metadata: [
                    "state": "\(snapshot.report.state.rawValue)", "events": "\(snapshot.report.events)", "bytes": "\(snapshot.report.bytes)",
                    "cursor": "\(snapshot.report.position.map(\.description) ?? "")",
                ])
        }
        return ConnectionEnd(.cancelled)
    }
}
