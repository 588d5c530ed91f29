import Events
import Ledger

/// From the fleet's status to the reasons why it is not ready: each shard and upstream must have a fresh owner and be idle or advancing.
///
/// It remembers since when what has work has stood still, so that one slow batch is no reason, and one look after a start is not either.
struct ReadinessJudge: Sendable {
    /// Of what a process is judged.
    enum Scope: Hashable, Sendable {
        case fleet
        /// Only what this process owns: a stand-by is ready.
        case owned(by: WorkerID)
    }

    let scope: Scope
    let stallAfter: Duration
    private var offsets: [Place: Mark<EntryID>] = [:]
    private var published: [Place: Mark<Int64>] = [:]
    private var troubled: [UpstreamName: MonotonicTime] = [:]
    private var rewinding: [UpstreamName: MonotonicTime] = [:]

    /// One of a shard's logs.
    private struct Place: Hashable, Sendable {
        var log: LiveLog
        var shard: Shard
    }

    private struct Mark<Value: Hashable & Sendable>: Sendable {
        var value: Value
        var since: MonotonicTime
    }

    init(scope: Scope, stallAfter: Duration) {
        self.scope = scope
        self.stallAfter = stallAfter
    }

    mutating func reasons(_ status: FleetStatus, now: MonotonicTime) -> [ReadinessReason] {
        // Barriers come each second from an upstream that streams, so every shard's offset must move while there is one of its kind.
        let streaming = Set(status.upstreams.filter { $0.report?.state == .streaming && isFresh($0.reportAgeMs) }.map(\.name.kind))
        var reasons: [ReadinessReason] = []
        for shard in status.shards where isJudged(shard.owner) {
            reasons += judge(shard, streaming: streaming, now: now)
        }
        for upstream in status.upstreams where isJudged(upstream.owner) && isJudged(upstream.name.kind) {
            reasons += judge(upstream, now: now)
        }
        return reasons
    }

    private func isJudged(_ owner: String?) -> Bool {
        switch scope {
        case .fleet: true
        case .owned(let worker): owner == worker.description
        }
    }

    /// A backfill makes no fleet unready: what is live does not wait for it, and one that is finished, or out of scope, has no owner. Who does it is judged
    /// by what it does.
    private func isJudged(_ kind: UpstreamName.Kind) -> Bool { kind != .backfill || scope != .fleet }

    private func isFresh(_ ageMs: Int64?) -> Bool { ageMs.map { $0 < stallAfter.milliseconds } ?? false }

    private mutating func judge(
        _ shard: FleetStatus.ShardStatus, streaming: Set<UpstreamName.Kind>, now: MonotonicTime
    ) -> [ReadinessReason] {
        let entity = "shard \(shard.shard)"
        var reasons: [ReadinessReason] = []
        if shard.owner == nil || shard.leaseMsLeft <= 0 {
            reasons.append(ReadinessReason(code: .shardUnowned, entity: entity, detail: "no worker has a fresh lease on it"))
        }
        if let reason = shard.haltedReason { reasons.append(ReadinessReason(code: .shardHalted, entity: entity, detail: reason)) }
        let firehose = FleetStatus.LogStatus(
            offset: shard.offset, lastSeq: shard.lastSeq, lastCommitAgeMs: shard.lastCommitAgeMs, nextSeq: shard.nextSeq,
            outboxError: shard.outboxError)
        for (log, status) in [(LiveLog.firehose, firehose), (.labels, shard.labels)] {
            let place = Place(log: log, shard: shard.shard)
            reasons += judge(status, place, log == .firehose ? entity : "labels of \(entity)", streaming.contains(log.upstreams), now)
        }
        return reasons
    }

    private mutating func judge(
        _ log: FleetStatus.LogStatus, _ place: Place, _ entity: String, _ isStreaming: Bool, _ now: MonotonicTime
    ) -> [ReadinessReason] {
        var reasons: [ReadinessReason] = []
        let stood = Self.standing(&offsets[place], log.offset, now: now)
        if isStreaming, stood > stallAfter, !isFresh(log.lastCommitAgeMs) {
            reasons.append(ReadinessReason(code: .shardStalled, entity: entity, detail: "no commit for \(stood.milliseconds) ms or longer"))
        }
        let unpublished = Self.standing(&published[place], log.nextSeq, now: now)
        if log.nextSeq <= log.lastSeq, unpublished > stallAfter {
            let cause = log.outboxError.map { ": \($0)" } ?? ""
            let behind = log.lastSeq - log.nextSeq + 1
            reasons.append(
                ReadinessReason(
                    code: .outletStalled, entity: entity, detail: "\(behind) events wait, none published for \(unpublished.milliseconds) ms\(cause)"))
        }
        return reasons
    }

    private mutating func judge(_ upstream: FleetStatus.Upstream, now: MonotonicTime) -> [ReadinessReason] {
        let entity = upstream.name.description
        var reasons: [ReadinessReason] = []
        if upstream.owner == nil || upstream.leaseMsLeft <= 0 {
            reasons.append(ReadinessReason(code: .upstreamUnowned, entity: entity, detail: "no ingester has a fresh lease on it"))
        } else if !isFresh(upstream.reportAgeMs) {
            let since = Self.since(&troubled[upstream.name], now: now)
            if now - since > stallAfter {
                reasons.append(ReadinessReason(code: .upstreamSilent, entity: entity, detail: "its owner reports nothing"))
            }
        } else if let report = upstream.report, report.state == .backingOff || report.state == .stopped {
            let since = Self.since(&troubled[upstream.name], now: now)
            if now - since > stallAfter || report.state == .stopped {
                reasons.append(ReadinessReason(code: .upstreamDown, entity: entity, detail: "\(report.state.rawValue): \(report.reason)"))
            }
        } else {
            troubled[upstream.name] = nil
        }
        guard upstream.rewindPending else {
            rewinding[upstream.name] = nil
            return reasons
        }
        let since = Self.since(&rewinding[upstream.name], now: now)
        if now - since > stallAfter {
            reasons.append(ReadinessReason(code: .rewindPending, entity: entity, detail: "a rewind was asked for and not begun"))
        }
        return reasons
    }

    /// How long the value has been what it is.
    private static func standing<Value>(_ mark: inout Mark<Value>?, _ value: Value, now: MonotonicTime) -> Duration {
        if let known = mark, known.value == value { return now - known.since }
        mark = Mark(value: value, since: now)
        return .zero
    }

    private static func since(_ time: inout MonotonicTime?, now: MonotonicTime) -> MonotonicTime {
        let since = time ?? now
        time = since
        return since
    }
}
