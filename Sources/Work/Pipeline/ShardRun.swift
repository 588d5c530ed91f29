internal import Broker
internal import Events
internal import Flow
internal import Ledger
internal import Logging

/// The state of one shard in the hands of its owner, and the steps that turn it: a batch of the stream, a sweep of held messages.
///
/// Everything here is a copy of what is committed, or thrown away with the failure of a commit: the next owner, or the next try, reads it anew.
struct ShardRun {
    let lease: ShardLease
    let context: WorkContext
    private let trust: LeaseTrust
    private let judge: BatchJudge
    private let policy: HoldPolicy
    let metrics: ShardMetrics
    private var sessions: UpstreamSessions
    private(set) var holds: HoldTable
    private var repositories: GenerationCache<String, RepositoryChain>
    private var tail: TrimTail
    private var lastCommit: MonotonicTime
    /// Committed, or resolved without anything to commit.
    private(set) var position: EntryID
    /// The same of the backfill stream.
    var backfillPosition = EntryID.zero
    var snapshotCount: AdaptiveCount

    init(lease: ShardLease, state: ShardState, holds: HoldTable, context: WorkContext, trust: LeaseTrust) {
        self.lease = lease
        self.context = context
        self.trust = trust
        judge = BatchJudge(judge: MessageJudge(mode: context.configuration.mode), identities: context.identities)
        policy = HoldPolicy(predecessor: context.configuration.predecessorWait, identity: context.configuration.identityWait)
        metrics = ShardMetrics(shard: lease.shard, totals: context.totals)
        self.holds = holds
        repositories = GenerationCache(entries: context.configuration.repositoriesCached)
        snapshotCount = AdaptiveCount(targetBytes: SnapshotLimits.batchBytes, maxCount: SnapshotLimits.batchEntries)
        tail = TrimTail(kept: context.configuration.inspectionTail)
        sessions = UpstreamSessions(
            lease: lease, log: .firehose, state: state, ledger: context.ledger, metrics: metrics, logger: context.logger)
        position = state.offset
        lastCommit = context.clock.monotonic()
    }

    /// Resolves a batch of the stream and commits it, and says how late that was.
    mutating func take(_ batch: ReadBatch) async throws {
        let hasMessages = try await take(batch.entries)
        if hasMessages, let readAt = batch.readAt { context.turns.live(delay: context.clock.monotonic() - readAt) }
    }

    /// Resolves entries of the stream and commits them; nothing of it is kept where that fails. False where they were barriers and repeats only.
    @discardableResult
    mutating func take(_ entries: [ReadEntry]) async throws -> Bool {
        guard let last = entries.last else { return false }
        var batch = ShardBatch(lease: lease)
        batch.offset = last.id
        var messages: [Message] = []
        var undecodable: [(String, EntryID)] = []
        sessions.begin()
        for read in entries {
            switch read.content {
            case .undecodable(let detail): undecodable.append((detail, read.id))
            case .entry(let entry):
                switch try await sessions.received(entry, in: &batch) {
                case .apply: messages.append(Message(entry: entry))
                case .passed: break
                case .unissued: undecodable.append(("session \(entry.session) in epoch \(entry.position.epoch) was never opened", read.id))
                }
            }
        }
        sessions.note(in: &batch)
        let isQuiet = messages.isEmpty && undecodable.isEmpty && batch.watermarks.isEmpty && batch.rewinds.isEmpty && batch.gaps.isEmpty
        if isQuiet, context.clock.monotonic() - lastCommit < .seconds(3) {
            // Only repeated barriers of a quiet upstream: the next commit says it all, `sessions` keeps which of them moved.
            tail.committed(entries.map(\.id))
            return false
        }
        var decision = try await decision(for: messages, batch)
        for (detail, id) in undecodable { decision.refuseUndecodable(detail, id) }
        let committed = try await commit(decision)
        tail.committed(entries.map(\.id))
        position = last.id
        metrics.committed(committed, entries: entries.count, newest: last.id)
        await mirror()
        return !messages.isEmpty
    }

    /// Looks at held messages that are due: their predecessor came, their key may be there, or their time is up.
    mutating func sweep() async throws {
        let now = context.clock.wall()
        let due = holds.due(at: now, limit: 16)
        guard !due.isEmpty else { return }
        let dids = due.map(\.did)
        // All of theirs: what is not looked at here would be forgotten by the table.
        let count = dids.reduce(0) { $0 + holds.count(of: $1) }
        let forced = Set(due.lazy.filter(\.isForced).map(\.did))
        let rows = try await context.ledger.held(shard: lease.shard, dueBy: WallTime(microseconds: 0), dids: dids, limit: count)
        var messages: [Message] = []
        for did in dids {
            let ofDID = rows.filter { $0.did == did }.sorted { $0.id < $1.id }
            for row in HeldOrder.sorted(ofDID, rev: { $0.rev.isEmpty ? nil : $0.rev }) {
                let place = Message.HeldPlace(
                    id: row.id, reason: row.reason, since: row.heldSince, dueAt: row.dueAt, attempts: row.attempts,
                    isForced: forced.contains(did))
                messages.append(Message(entry: row.entry, held: place))
            }
        }
        var decision = try await decision(for: messages, ShardBatch(lease: lease))
        decision.settle(dids)
        let committed = try await commit(decision)
        metrics.committed(committed, entries: 0, newest: nil)
    }

    var heldCount: Int { holds.count }

    // MARK: Decisions

    private mutating func decision(for messages: [Message], _ batch: ShardBatch) async throws -> BatchDecision {
        let chains = try await chains(of: Set(messages.map(\.entry.did)))
        let outside = try await outside(messages, chains)
        let now = context.clock.wall()
        let judgements = await judgements(messages, chains, outside: outside, now: now)
        var decision = BatchDecision(
            batch: batch, chains: chains, holds: holds, policy: policy, tracking: context.configuration.tracking, outside: outside, now: now)
        for (message, judgement) in zip(messages, judgements) { decision.take(message, judgement) }
        return decision
    }

    /// DIDs of which nothing is known and that nobody wants. Asked after they were read: a snapshot that is wanted later begins behind what is left out now.
    private func outside(_ messages: [Message], _ chains: [String: RepositoryChain]) async throws -> Set<String> {
        switch context.configuration.tracking.scope {
        case .live, .full: return []
        case .chosen, .collection: break
        }
        let unknown = Set(messages.lazy.map(\.entry.did).filter { !$0.isEmpty && chains[$0]?.isUnknown ?? true })
        guard !unknown.isEmpty else { return [] }
        let wanted = try await context.ledger.wantedRepositories(unknown.sorted())
        return unknown.filter { wanted[$0] != true }
    }

    /// Judges what is not a repeat by its revision alone; of several copies in the batch the first, and the others only where that was refused.
    private func judgements(
        _ messages: [Message], _ chains: [String: RepositoryChain], outside: Set<String>, now: WallTime
    ) async -> [Judgement] {
        var result = [Judgement](repeating: .duplicate, count: messages.count)
        let looksInside = context.configuration.tracking.scope == .collection
        var first: [String: Int] = [:]
        var copies: [(index: Int, of: Int)] = []
        var judged: [Int] = []
        for (index, message) in messages.enumerated() {
            let entry = message.entry
            if outside.contains(entry.did), !looksInside || entry.kind != .commit { continue }
            if entry.kind == .commit || entry.kind == .sync {
                if entry.kind == .commit, let chain = chains[entry.did], !chain.rev.isEmpty, entry.rev <= chain.rev { continue }
                let key = "\(entry.kind.rawValue) \(entry.did) \(entry.rev)"
                if let earlier = first[key] {
                    copies.append((index, earlier))
                    continue
                }
                first[key] = index
            }
            judged.append(index)
        }
        for (index, judgement) in zip(judged, await judge.judgements(judged.map { messages[$0] }, now: now)) { result[index] = judgement }
        let doubtful = copies.filter { copy in
            switch result[copy.of] {
            case .refused, .waitsForIdentity: true
            default: false
            }
        }
        if !doubtful.isEmpty {
            let again = await judge.judgements(doubtful.map { messages[$0.index] }, now: now)
            for (copy, judgement) in zip(doubtful, again) { result[copy.index] = judgement }
        }
        return result
    }

    mutating func chains(of dids: Set<String>) async throws -> [String: RepositoryChain] {
        var chains: [String: RepositoryChain] = [:]
        var missing: [String] = []
        for did in dids where !did.isEmpty {
            if let chain = repositories.value(did) { chains[did] = chain } else { missing.append(did) }
        }
        if !missing.isEmpty {
            let known = try await context.ledger.repositories(shard: lease.shard, dids: missing.sorted())
            for (did, state) in known { chains[did] = RepositoryChain(state, isTracked: context.configuration.tracking.isTracked) }
        }
        return chains
    }

    // MARK: Commit

    private mutating func commit(_ decision: BatchDecision) async throws -> ShardMetrics.Committed {
        let batch = decision.finished()
        var done = try await commit(batch)
        holds = decision.holds
        sessions.committed(batch, isOfStream: batch.offset != nil)
        for did in decision.changed { if let chain = decision.chains[did] { repositories.insert(chain, for: did) } }
        if !decision.identitiesChanged.isEmpty { await context.identities.changed(decision.identitiesChanged) }
        metrics.superseded(decision.superseded)
        done.duplicates = decision.duplicates
        done.held = holds.count
        return done
    }

    /// Commits what was decided of snapshots or requests; nothing of it is kept where that fails.
    mutating func commit(_ batch: ShardBatch, chains: [String: RepositoryChain], changed: Set<String>, woken: [String]) async throws {
        var done = try await commit(batch)
        for did in changed { if let chain = chains[did] { repositories.insert(chain, for: did) } }
        for did in batch.tracked.heldDropped { holds.settled(did, count: 0, dueAt: context.clock.wall()) }
        for did in woken { holds.wake(did) }
        done.held = holds.count
        metrics.committed(done, entries: 0, newest: nil)
    }

    private mutating func commit(_ batch: ShardBatch) async throws -> ShardMetrics.Committed {
        // A process that was stopped past its lease finds this out here; the fence in the transaction is what makes it certain.
        guard trust.isTrusted(at: context.clock.monotonic()) else { throw ShardFailure.fenced }
        context.configuration.seams.reached(.workBeforeCommit)
        let result = try await context.ledger.commit(batch)
        context.configuration.seams.reached(.workAfterCommitBeforeTrim)
        lastCommit = context.clock.monotonic()
        return ShardMetrics.Committed(batch: batch, result: result, duplicates: 0, held: holds.count)
    }

    /// Tells Redis; harmless where it fails, the next commit says more.
    private func mirror() async {
        do {
            try await context.streams.mirror(lease.shard, committed: position, trimBelow: tail.minID)
        } catch {
            context.logger.debug("position not mirrored", metadata: ["shard": "\(lease.shard)", "error": "\(error)"])
        }
    }
}
