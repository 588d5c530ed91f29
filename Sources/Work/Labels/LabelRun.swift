internal import Broker
internal import Events
internal import Flow
internal import Ledger
internal import Logging

/// The state of one shard's labels in the hands of its owner, and the steps that turn it: a batch of the stream, a sweep of held labels.
///
/// A label whose source's key is not to be had in time is held in a table of its own (`HeldLabel`), and nothing waits for it but what its upstream
/// brings of the same source: a cold key stops neither the shard nor another labeler. A message can't be held as it is, since what else is in it must
/// go on. Bounded by ``WorkerConfiguration/labelHoldLimits``; what is over them is refused and counted, the longest held first.
///
/// Everything here is a copy of what is committed, or thrown away with the failure of a commit: the next owner, or the next try, reads it anew.
struct LabelRun {
    /// Held labels of one source that a sweep looks at.
    private static let sweepLabels = 500
    private static let sweepQueues = 4

    private let lease: ShardLease
    private let context: WorkContext
    private let streams: WorkStreams
    private let trust: LeaseTrust
    private let judge: LabelJudge
    private let policy: HoldPolicy
    private let metrics: ShardMetrics
    private var sessions: UpstreamSessions
    private var holds: HoldTable
    private var tail: TrimTail
    private var lastCommit: MonotonicTime
    /// Committed, or resolved without anything to commit.
    private(set) var position: EntryID

    init(lease: ShardLease, state: ShardState, holds: HoldTable, context: WorkContext, trust: LeaseTrust) {
        self.lease = lease
        self.context = context
        self.trust = trust
        streams = context.streams.on(.labels)
        judge = LabelJudge(keys: context.labelKeys, mode: context.configuration.mode)
        policy = HoldPolicy(predecessor: .zero, identity: context.configuration.identityWait)
        metrics = ShardMetrics(shard: lease.shard, log: .labels, totals: context.totals)
        self.holds = holds
        tail = TrimTail(kept: context.configuration.inspectionTail)
        sessions = UpstreamSessions(
            lease: lease, log: .labels, state: state, ledger: context.ledger, metrics: metrics, logger: context.logger)
        position = state.offset
        lastCommit = context.clock.monotonic()
    }

    /// Resolves a batch of the stream and commits it; nothing of it is kept where that fails.
    mutating func take(_ entries: [ReadEntry]) async throws {
        guard let last = entries.last else { return }
        var batch = ShardBatch(lease: lease, log: .labels)
        batch.offset = last.id
        var intake = LabelIntake(shard: lease.shard, shards: streams.shards)
        var undecodable: [(String, EntryID)] = []
        var hasMessages = false
        sessions.begin()
        for read in entries {
            switch read.content {
            case .undecodable(let detail): undecodable.append((detail, read.id))
            case .entry(let entry):
                switch try await sessions.received(entry, in: &batch) {
                case .apply:
                    intake.take(entry)
                    hasMessages = true
                case .passed: break
                case .unissued: undecodable.append(("session \(entry.session) in epoch \(entry.position.epoch) was never opened", read.id))
                }
            }
        }
        sessions.note(in: &batch)
        let isQuiet = !hasMessages && undecodable.isEmpty && batch.watermarks.isEmpty && batch.rewinds.isEmpty && batch.gaps.isEmpty
        if isQuiet, context.clock.monotonic() - lastCommit < .seconds(3) {
            // Only repeated barriers of a quiet upstream: the next commit says it all, `sessions` keeps which of them moved.
            tail.committed(entries.map(\.id))
            return
        }
        var decision = try await decision(for: intake, batch)
        for (detail, id) in undecodable { decision.refuseUndecodable(detail, id) }
        let committed = try await commit(decision)
        tail.committed(entries.map(\.id))
        position = last.id
        metrics.committed(committed, entries: entries.count, newest: last.id)
        await mirror()
    }

    /// Looks at held labels that are due: their key may be there, or their time is up. The longest held of each source; the rest when these are resolved.
    mutating func sweep() async throws {
        let due = holds.due(at: context.clock.wall(), limit: Self.sweepQueues)
        guard !due.isEmpty else { return }
        var intake = LabelIntake(shard: lease.shard, shards: streams.shards)
        var queues: [HeldLabelQueue] = []
        for due in due {
            guard let queue = HeldLabelQueue(name: due.did) else { continue }
            queues.append(queue)
            let rows = try await context.ledger.heldLabels(shard: lease.shard, queue, limit: Self.sweepLabels)
            for row in rows { intake.take(row, isForced: due.isForced) }
        }
        var decision = try await decision(for: intake, ShardBatch(lease: lease, log: .labels))
        decision.settle(queues)
        let committed = try await commit(decision)
        metrics.committed(committed, entries: 0, newest: nil)
    }

    var heldCount: Int { holds.count }

    private func decision(for intake: LabelIntake, _ batch: ShardBatch) async throws -> LabelDecision {
        let arrivals = intake.arrivals
        let known = try await context.ledger.labels(shard: lease.shard, keys: Array(Set(arrivals.map(\.key))))
        let verdicts = await judge.verdicts(arrivals.map(\.label))
        var decision = LabelDecision(batch: batch, known: known, holds: holds, policy: policy, now: context.clock.wall())
        decision.refuse(intake.refused, held: intake.refusedHeld)
        for (arrival, verdict) in zip(arrivals, verdicts) { decision.take(arrival, verdict) }
        return decision
    }

    private mutating func commit(_ decision: LabelDecision) async throws -> ShardMetrics.Committed {
        let batch = decision.finished()
        // A process that was stopped past its lease finds this out here; the fence in the transaction is what makes it certain.
        guard trust.isTrusted(at: context.clock.monotonic()) else { throw ShardFailure.fenced }
        context.configuration.seams.reached(.workBeforeCommit)
        let result = try await context.ledger.commit(batch)
        context.configuration.seams.reached(.workAfterCommitBeforeTrim)
        lastCommit = context.clock.monotonic()
        holds = decision.holds
        sessions.committed(batch, isOfStream: batch.offset != nil)
        return ShardMetrics.Committed(batch: batch, result: result, duplicates: decision.duplicates, held: holds.count)
    }

    /// Tells Redis; harmless where it fails, the next commit says more.
    private func mirror() async {
        do {
            try await streams.mirror(lease.shard, committed: position, trimBelow: tail.minID)
        } catch {
            context.logger.debug("position of labels not mirrored", metadata: ["shard": "\(lease.shard)", "error": "\(error)"])
        }
    }
}
