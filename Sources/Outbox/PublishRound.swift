import Broker
import Events
import Flow
import Ledger
import Logging
import Metrics

/// One round after the other: claim, publish the claims side by side, mark them in one statement.
struct PublishRound: Sendable {
    private let configuration: PublisherConfiguration
    private let store: any OutboxStore
    private let outlet: any OutletWriter
    private let worker: WorkerID
    private let logger: Logger
    private let seams: FaultSeams
    private var report: PublisherReport
    private var lastReport: MonotonicTime
    /// By run, while it is being published; forgotten when there are more than ``runsRemembered``.
    private var bounds: [RunID: OutletBound] = [:]
    private var retries: [RunID: RetryPolicy] = [:]

    private var pressure = OutletPressure()
    private var nextLook = MonotonicTime.zero

    private static let runsRemembered = 10_000

    init(
        configuration: PublisherConfiguration, store: any OutboxStore, outlet: any OutletWriter, worker: WorkerID, logger: Logger,
        metrics: (any MetricsFactory)?, seams: FaultSeams
    ) {
        self.configuration = configuration
        self.store = store
        self.outlet = outlet
        self.worker = worker
        self.logger = logger
        self.seams = seams
        report = PublisherReport(sink: configuration.sink, factory: metrics)
        lastReport = .current
    }

    /// - Returns: whether something was claimed: then there may be more.
    mutating func once() async throws(LedgerError) -> Bool {
        var lease = LeaseClock(timeToLive: configuration.leaseTTL, margin: configuration.leaseMargin)
        let start = MonotonicTime.current
        let claims = try await store.claimOutbox(
            sink: configuration.sink, publisher: worker, ttl: configuration.leaseTTL, limit: configuration.claims)
        guard !claims.isEmpty else { return false }
        lease.renewed(callStartedAt: start)
        forgetIfTooMany()
        await lookAtMemory()
        let outcomes = await publish(claims, lease: lease)
        try await settle(outcomes)
        return true
    }

    /// Once a second, while something is published.
    private mutating func lookAtMemory() async {
        guard MonotonicTime.current >= nextLook else { return }
        nextLook = .current + .seconds(1)
        do { pressure.observed(try await outlet.memory().share) } catch {
            logger.debug("Redis' memory can't be measured", metadata: ["error": "\(error)"])
        }
    }

    mutating func reportIfDue(at now: MonotonicTime?) {
        if let now, now - lastReport < configuration.reportEvery { return }
        lastReport = now ?? lastReport
        guard report.events > 0 else { return }
        logger.info(
            "metric.events_published",
            metadata: [
                "sink": "\(configuration.sink)", "events": "\(report.events)", "runs": "\(report.runs.count)", "lag_ms": "\(report.lagMsMean)",
                "lag_ms_max": "\(report.lagMsMax)",
            ])
        report.reset()
    }

    private mutating func publish(_ claims: [OutboxClaim], lease: LeaseClock) async -> [PublishOutcome] {
        let publisher = ClaimPublisher(
            configuration: configuration, store: store, outlet: outlet, now: { .current }, lease: lease, seams: seams,
            pressure: pressure)
        let fresh = OutletBound(entries: configuration.keepEntries, bytes: configuration.keepBytes)
        var waiting = claims[...]
        var outcomes: [PublishOutcome] = []
        let known = bounds
        let moved = await withTaskGroup(of: (PublishOutcome, RunID, OutletBound).self) { group in
            var moved: [RunID: OutletBound] = [:]
            for _ in 0..<configuration.concurrency {
                guard let claim = waiting.popFirst() else { break }
                group.addTask { await Self.publish(claim, publisher, known[claim.run] ?? fresh) }
            }
            for await (outcome, run, bound) in group {
                outcomes.append(outcome)
                moved[run] = bound
                if let claim = waiting.popFirst() {
                    group.addTask { await Self.publish(claim, publisher, known[claim.run] ?? fresh) }
                }
            }
            return moved
        }
        bounds.merge(moved) { $1 }
        return outcomes
    }

    private static func publish(
        _ claim: OutboxClaim, _ publisher: ClaimPublisher, _ bound: OutletBound
    ) async -> (PublishOutcome, RunID, OutletBound) {
        var bound = bound
        let outcome = await publisher.publish(claim, bound: &bound)
        return (outcome, claim.run, bound)
    }

    /// Marks what was published before anything else, so that one run's trouble does not cost the others their cursors.
    private mutating func settle(_ outcomes: [PublishOutcome]) async throws(LedgerError) {
        var marks: [(claim: OutboxClaim, nextSeq: Int64)] = []
        for outcome in outcomes {
            switch outcome {
            case .published(let claim, let events, let rebuilt):
                marks.append((claim, (events.last?.seq ?? claim.nextSeq - 1) + 1))
                report.published(events, now: .current)
                retries[claim.run] = nil
                if rebuilt { noteRebuilt(claim) }
            case .idle(let claim): marks.append((claim, claim.nextSeq))
            case .gap, .failed, .untrusted: break
            }
        }
        try await mark(marks)
        for outcome in outcomes {
            switch outcome {
            case .gap(let claim, let expected, let lastGood, let found):
                try await halt(claim, expected: expected, lastGood: lastGood, found: found)
            case .failed(let claim, let error): try await fail(claim, error: error)
            case .untrusted(let claim): logger.warning("publisher's lease ran out", metadata: ["run": "\(claim.run)"])
            case .published, .idle: break
            }
        }
    }

    private func mark(_ marks: [(claim: OutboxClaim, nextSeq: Int64)]) async throws(LedgerError) {
        guard !marks.isEmpty else { return }
        if marks.contains(where: { $0.nextSeq > $0.claim.nextSeq }) { seams.reached(.outboxAfterPublishBeforeMark) }
        let moved = try await store.markPublished(marks)
        guard moved.count < marks.count else { return }
        report.lostClaims(marks.count - moved.count)
        logger.warning("another publisher took over", metadata: ["claims": "\(marks.count - moved.count)"])
    }

    private func noteRebuilt(_ claim: OutboxClaim) {
        report.rebuiltOutlet()
        logger.warning("outlet had foreign entries and was rebuilt", metadata: ["run": "\(claim.run)", "from_seq": "\(claim.nextSeq)"])
    }

    private func halt(_ claim: OutboxClaim, expected: Int64, lastGood: Int64, found: Int64?) async throws(LedgerError) {
        report.foundGap()
        logger.error(
            "gap in a run's log: its outlet stops",
            metadata: [
                "run": "\(claim.run)", "expected_seq": "\(expected)", "last_good_seq": "\(lastGood)",
                "found_seq": "\(found.map(String.init) ?? "none")",
                "last_seq": "\(claim.lastSeq)",
            ])
        try await store.haltOutbox(
            claim, reason: "the log lacks seq \(expected) (last good \(lastGood), next found \(found.map(String.init) ?? "none"))")
    }

    private mutating func fail(_ claim: OutboxClaim, error: String) async throws(LedgerError) {
        report.failed()
        var retry = retries[claim.run] ?? RetryPolicy(limits: configuration.retry)
        var generator = SystemRandomNumberGenerator()
        let delay = retry.failed(at: .current, using: &generator)
        retries[claim.run] = retry
        logger.warning(
            "a run could not be published", metadata: ["run": "\(claim.run)", "error": "\(error)", "retry_after_ms": "\(delay.milliseconds)"])
        try await store.failOutbox(claim, error: error, retryAfter: delay)
    }

    private mutating func forgetIfTooMany() {
        if bounds.count > Self.runsRemembered { bounds.removeAll() }
        if retries.count > Self.runsRemembered { retries.removeAll() }
    }
}
