import Broker
import Events
import Flow
import Ledger
import Logging
import Metrics
import ServiceLifecycle
import Synchronization

/// Puts waiting jobs into the stream from which workers fetch, up to its high-water mark, and finds those that got lost on the way. One in a fleet.
///
/// A job is marked as queued before it is appended. A crash between the two leaves rows behind that stand in no stream: they wait again after
/// ``BackfillIngesterConfiguration/queuedDeadline``, at once where the stream is empty. What stands in the stream keeps its deadline. A feeder that does
/// not know yet that it lost its lease may add a batch twice: fetchers take a job once, whoever put it there.
struct JobFeeder: Sendable {
    /// The upstream whose lease it is.
    static let host = "feeder"
    /// Rows that one statement sweeps, and entries that one look reads.
    private static let pageMax = 1_000

    let configuration: BackfillIngesterConfiguration
    let ledger: Ledger
    let queue: JobQueue
    let chosen: ChosenFile?
    let seams: FaultSeams
    let logger: Logger
    private let report = Report()
    private let lengthGauge = Gauge(label: "weir_backfill_queue_length")
    private let fed = Counter(label: "weir_backfill_fed")
    private let swept = Counter(label: "weir_backfill_swept")

    init(configuration: BackfillIngesterConfiguration, ledger: Ledger, queue: JobQueue, chosen: ChosenFile?, seams: FaultSeams, logger: Logger) {
        self.configuration = configuration
        self.ledger = ledger
        self.queue = queue
        self.chosen = chosen
        self.seams = seams
        self.logger = logger
    }

    private final class Report: Sendable {
        private let state = Mutex(UpstreamReport(state: .connecting))
        var now: UpstreamReport { state.withLock { $0 } }
        func change(_ body: (inout UpstreamReport) -> Void) { state.withLock { body(&$0) } }
    }

    /// What was marked and could not be appended.
    private struct Left {
        var dids: [String]
        var since: MonotonicTime
    }

    func run(worker: WorkerID) async {
        let work = configuration.leasedWork(on: Self.host, leases: ledger, worker: worker, logger: logger)
        await work.run(report: { reported }) { ownership in
            await withTaskGroup(of: ConnectionEnd.self) { group in
                group.addTask { await feed(ownership) }
                if let chosen { group.addTask { await chosen.run() } }
                let first = await group.next()
                group.cancelAll()
                return first ?? ConnectionEnd(.cancelled)
            }
        }
    }

    private var reported: UpstreamReport {
        var now = report.now
        if now.reason.isEmpty, let chosen { now.reason = chosen.complaint }
        return now
    }

    private func feed(_ ownership: UpstreamOwnership) async -> ConnectionEnd {
        var feed = JobFeed(
            limits: JobFeed.Limits(highWater: configuration.queueHighWater, keepEvery: configuration.queuedDeadline / 4))
        var retry = RetryPolicy(limits: configuration.retry)
        var left: Left?
        while !Task.isCancelled, !Task.isShuttingDownGracefully {
            switch await round(&feed, &left, ownership) {
            case .success(let isAgain):
                report.change {
                    $0.state = .streaming
                    $0.reason = ""
                }
                retry.succeeded(at: ProcessClock.now)
                if !isAgain { await Pause.sleep(configuration.poll * Double.random(in: 0.75...1.25)) }
            case .failure(let end):
                if end.cause == .leaseLost { return end }
                report.change {
                    $0.state = .backingOff
                    $0.reason = end.description
                }
                logger.warning("jobs could not be fed", metadata: ["error": "\(end)"])
                var generator = SystemRandomNumberGenerator()
                await Pause.sleep(retry.failed(at: ProcessClock.now, using: &generator))
            }
        }
        return ConnectionEnd(Task.isShuttingDownGracefully ? .shutdown : .cancelled)
    }

    /// One look; true: look again at once.
    private func round(_ feed: inout JobFeed, _ left: inout Left?, _ ownership: UpstreamOwnership) async -> Result<Bool, ConnectionEnd> {
        do {
            let length = try await queue.length()
            lengthGauge.record(length)
            let round = feed.looked(length: length, now: ProcessClock.now)
            if round.keeps { try await keep() }
            if round.sweeps { try await sweep(isEmpty: round.isEmpty) }
            guard round.feed > 0 else { return .success(feed.fed(0)) }
            guard ownership.isTrusted else { return .failure(ConnectionEnd(.leaseLost)) }
            let dids = try await take(round.feed, &left)
            try await append(dids, &left)
            return .success(feed.fed(dids.count))
        } catch {
            return .failure(ConnectionEnd(error))
        }
    }

    /// What could not be appended before goes first, unless it may be waiting again by now.
    private func take(_ count: Int, _ left: inout Left?) async throws(LedgerError) -> [String] {
        if let before = left, ProcessClock.now - before.since < configuration.queuedDeadline / 2, !before.dids.isEmpty {
            return Array(before.dids.prefix(count))
        }
        left = nil
        return try await ledger.feedJobs(limit: count, deadline: configuration.queuedDeadline)
    }

    private func append(_ dids: [String], _ left: inout Left?) async throws(BrokerError) {
        guard !dids.isEmpty else { return }
        if left == nil { left = Left(dids: dids, since: ProcessClock.now) }
        seams.reached(.backfillAfterFeedBeforeAppend)
        try await queue.append(dids)
        left?.dids.removeFirst(dids.count)
        if left?.dids.isEmpty == true { left = nil }
        fed.increment(by: dids.count)
        report.change {
            $0.events += Int64(dids.count)
            $0.lastMessageAt = ProcessClock.wall
        }
    }

    private func sweep(isEmpty: Bool) async throws(LedgerError) {
        var count = 0
        repeat {
            count = try await ledger.sweepJobs(limit: Self.pageMax, queueIsEmpty: isEmpty)
            if count > 0 { logger.info("jobs wait again", metadata: ["count": "\(count)", "queue_is_empty": "\(isEmpty)"]) }
            swept.increment(by: count)
        } while count == Self.pageMax && !Task.isCancelled
    }

    private func keep() async throws {
        var position = EntryID.zero
        var read = 0
        while !Task.isCancelled, read < configuration.queueHighWater * 2 {
            let jobs = try await queue.standing(after: position, count: Self.pageMax)
            try await ledger.keepQueued(jobs.map(\.did), deadline: configuration.queuedDeadline)
            guard let last = jobs.last, jobs.count == Self.pageMax else { return }
            position = last.id
            read += jobs.count
        }
    }
}
