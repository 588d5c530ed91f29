import Broker
import Events
import Flow
import Ledger
import Logging
import Metrics

/// One round of a sink after the other: claim runs, deliver them side by side, mark them in one statement, then see to what failed.
struct SinkRound: Sendable {
    private let handle: SinkHandle
    private let writer: any SinkWriter
    private let configuration: SinkServiceConfiguration
    private let store: any SinkStore
    private let worker: WorkerID
    private let logger: Logger
    private let metrics: SinkMetrics
    private let seams: FaultSeams
    private var report: PublisherReport
    private var lastReport = MonotonicTime.current
    /// Of runs that failed, until they are well again; forgotten when there are more than ``runsRemembered``.
    private var deliveries: [RunID: RunDelivery] = [:]

    private static let runsRemembered = 10_000
    private static let reportEvery: Duration = .seconds(10)
    private static let lettersAtOnce = 20

    init(
        handle: SinkHandle, writer: any SinkWriter, configuration: SinkServiceConfiguration, store: any SinkStore, worker: WorkerID,
        logger: Logger, metrics: SinkMetrics, factory: (any MetricsFactory)?, seams: FaultSeams
    ) {
        self.handle = handle
        self.writer = writer
        self.configuration = configuration
        self.store = store
        self.worker = worker
        self.logger = logger
        self.metrics = metrics
        self.seams = seams
        report = PublisherReport(sink: handle.sink.name.description, factory: factory)
    }

    private var definition: SinkDefinition { handle.definition }

    /// As long as one batch may take, and time to mark it.
    private var leaseTTL: Duration { max(configuration.leaseTTL, definition.timeout * 2 + .seconds(2)) }

    /// - Returns: whether there may be more to do now.
    mutating func once() async throws(LedgerError) -> Bool {
        let most = handle.gate.claims(definition.concurrency, at: .current)
        guard most > 0 else { return false }
        if handle.takeRequeued() { try await deliverLetters() }
        var lease = LeaseClock(timeToLive: leaseTTL, margin: .milliseconds(500))
        let start = MonotonicTime.current
        let claims = try await store.claimOutbox(sink: definition.name.description, publisher: worker, ttl: leaseTTL, limit: most)
        guard !claims.isEmpty else { return false }
        lease.renewed(callStartedAt: start)
        if deliveries.count > Self.runsRemembered { deliveries.removeAll() }
        let outcomes = await deliver(claims, deliverer(lease))
        try await settle(outcomes)
        return true
    }

    mutating func reportIfDue(isLast: Bool = false) {
        guard isLast || MonotonicTime.current - lastReport >= Self.reportEvery else { return }
        lastReport = .current
        guard report.events > 0 else { return }
        logger.info(
            "metric.events_published",
            metadata: [
                "sink": "\(definition.name)", "events": "\(report.events)", "runs": "\(report.runs.count)", "lag_ms": "\(report.lagMsMean)",
                "lag_ms_max": "\(report.lagMsMax)",
            ])
        report.reset()
    }

    private func deliverer(_ lease: LeaseClock) -> RunDeliverer {
        RunDeliverer(handle: handle, configuration: configuration, store: store, writer: writer, lease: lease, seams: seams)
    }

    private func deliver(_ claims: [OutboxClaim], _ deliverer: RunDeliverer) async -> [RunOutcome] {
        await withTaskGroup(of: RunOutcome.self) { group in
            for claim in claims {
                let batchMax = deliveries[claim.run]?.batchMax ?? .max
                group.addTask { await deliverer.deliver(claim, batchMax: batchMax) }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
    }

    /// Marks what was delivered before anything else, so that one run's trouble does not cost the others their cursors.
    private mutating func settle(_ outcomes: [RunOutcome]) async throws(LedgerError) {
        var marks: [(claim: OutboxClaim, nextSeq: Int64)] = []
        for outcome in outcomes {
            if case .stopped = outcome.end {
                marks.append((outcome.claim, outcome.nextSeq))
            } else if outcome.nextSeq > outcome.claim.nextSeq {
                marks.append((outcome.claim, outcome.nextSeq))
            }
            guard !outcome.delivered.isEmpty else {
                metrics.passed(outcome.nextSeq - outcome.claim.nextSeq)
                continue
            }
            metrics.passed(outcome.nextSeq - outcome.claim.nextSeq - Int64(outcome.delivered.count))
            report.published(outcome.delivered, now: .current)
            deliveries[outcome.claim.run]?.delivered(outcome.delivered.count)
            if deliveries[outcome.claim.run]?.isFresh == true { deliveries[outcome.claim.run] = nil }
        }
        if outcomes.contains(where: { !$0.delivered.isEmpty }) { seams.reached(.sinkAfterDeliverBeforeMark) }
        if !marks.isEmpty {
            let moved = try await store.markPublished(marks)
            if moved.count < marks.count { lost(marks.count - moved.count) }
        }
        for outcome in outcomes {
            switch outcome.end {
            case .stopped: break
            case .failed(let error, let batch): try await failed(outcome.claim, error, batch)
            case .unread(let error): try await retry(outcome.claim, error: error, after: .milliseconds(500))
            case .gap(let expected, let lastGood, let found):
                try await halt(outcome.claim, expected: expected, lastGood: lastGood, found: found)
            }
        }
    }

    private func lost(_ count: Int) {
        report.lostClaims(count)
        logger.warning("a cursor was set, or another worker took over: not marked", metadata: ["claims": "\(count)"])
    }

    private func halt(_ claim: OutboxClaim, expected: Int64, lastGood: Int64, found: Int64?) async throws(LedgerError) {
        report.foundGap()
        let next = found.map(String.init) ?? "none"
        logger.error(
            "gap in a run's log: the run stops in this sink",
            metadata: [
                "run": "\(claim.run)", "expected_seq": "\(expected)", "last_good_seq": "\(lastGood)", "found_seq": "\(next)",
                "last_seq": "\(claim.lastSeq)",
            ])
        let reason = "the log lacks seq \(expected) (last good \(lastGood), next found \(next))"
        handle.failed("\(claim.run): \(reason)", at: .current)
        try await store.haltOutbox(claim, reason: reason)
    }
}

/// What failed.
extension SinkRound {
    private mutating func failed(_ claim: OutboxClaim, _ error: DeliveryError, _ batch: SinkBatch) async throws(LedgerError) {
        let failure: RunDelivery.Failure
        switch error.code {
        case .cancelled: return try await store.failOutbox(claim, error: error.description, retryAfter: .zero)
        case .poison: failure = .poison
        case .transient(let retryAfter): failure = .transient(retryAfter: retryAfter)
        }
        report.failed()
        if failure == .poison { metrics.refusedBatch() }
        handle.failed("\(claim.run) seq \(batch.firstSeq): \(error.description)", at: .current)
        var delivery =
            deliveries[claim.run]
            ?? RunDelivery(
                policy: definition.policy, attemptsMax: definition.attempts,
                limits: RetryPolicy.Limits(base: min(.milliseconds(250), definition.retryCap), cap: definition.retryCap))
        var generator = SystemRandomNumberGenerator()
        let step = delivery.failed(failure, of: batch.items.count, using: &generator)
        defer { deliveries[claim.run] = delivery }
        switch step {
        case .retry(let after): try await retry(claim, error: error.description, after: after)
        case .halt:
            let reason = "seq \(batch.firstSeq) was refused \(definition.attempts) times: \(error.description)"
            logger.error("an event is refused: its run stops in this sink", metadata: ["run": "\(claim.run)", "error": "\(reason)"])
            _ = try await store.halt(at: refused(batch, error), of: claim, reason: reason)
        case .layAside:
            logger.error(
                "an event is refused and laid aside",
                metadata: ["run": "\(claim.run)", "seq": "\(batch.firstSeq)", "error": "\(error.description)"])
            metrics.laidAside()
            delivery.delivered(1)
            _ = try await store.layAside(refused(batch, error), of: claim)
        }
    }

    private func retry(_ claim: OutboxClaim, error: String, after: Duration) async throws(LedgerError) {
        logger.debug(
            "a run could not be delivered", metadata: ["run": "\(claim.run)", "error": "\(error)", "retry_after_ms": "\(after.milliseconds)"])
        try await store.failOutbox(claim, error: error, retryAfter: after)
    }

    private func refused(_ batch: SinkBatch, _ error: DeliveryError) -> RefusedEvent {
        let payload = batch.items.first.flatMap { EventFormat.weir.render($0.event) } ?? []
        return RefusedEvent(
            seq: batch.firstSeq, error: error.description, attempts: Int32(clamping: definition.attempts),
            payload: String(decoding: payload, as: UTF8.self))
    }

    /// Events that an operator wants offered again, each by itself and once: what is refused again waits for the operator again, and what the target did
    /// not look at is offered again soon.
    private mutating func deliverLetters() async throws(LedgerError) {
        var delivered: [Int64] = []
        var refused: [(id: Int64, error: String)] = []
        var open: Set<Int64> = []
        let letters = try await store.claimLetters(definition.name, limit: Self.lettersAtOnce, within: definition.timeout * Self.lettersAtOnce)
        open.formUnion(letters.map(\.id))
        for letter in letters {
            let event = try await store.events(run: letter.run, after: letter.seq - 1, limit: 1, maxBytes: 1).first { $0.seq == letter.seq }
            guard let event, let bytes = definition.format.render(event) else {
                refused.append((letter.id, "the log does not have the event any more"))
                continue
            }
            guard let permit = handle.gate.admit(1, at: .current) else { break }
            let batch = SinkBatch(
                sink: definition.name, run: letter.run, epoch: 0, items: [SinkBatch.Item(event: event, bytes: bytes)], from: letter.seq,
                through: letter.seq, isAlone: true)
            if let error = await deliverer(LeaseClock()).offer(batch, permit) {
                handle.failed("\(letter.run) seq \(letter.seq): \(error.description)", at: .current)
                if case .poison = error.code { refused.append((letter.id, error.description)) } else { break }
            } else {
                delivered.append(letter.id)
            }
        }
        open.subtract(delivered + refused.map(\.id))
        if !letters.isEmpty {
            try await store.settleLetters(
                delivered: delivered, refused: refused, open: Array(open), retryAfter: min(.seconds(1), definition.retryCap))
        }
    }
}
