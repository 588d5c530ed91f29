internal import Events
internal import Flow
internal import Ledger
internal import Logging

/// The sessions of all upstreams that write into one stream of a shard, in the hands of its owner: which entries are to be applied, and what of the
/// sessions is committed with them.
///
/// Everything here is a copy of what is committed, or thrown away with the failure of a commit. Decisions are `Flow.SessionTracker`'s; what only the
/// ledger knows is looked up here.
struct UpstreamSessions {
    enum Step: Hashable {
        /// The expected entry of a followed session.
        case apply
        /// Of the session itself, a repeat, or behind a loss: nothing to apply.
        case passed
        /// It names numbers that were never given out: no ingester wrote it.
        case unissued
    }

    private let lease: ShardLease
    private let log: LiveLog
    private let ledger: Ledger
    private let metrics: ShardMetrics
    private let logger: Logger
    private var trackers: [UpstreamName: SessionTracker] = [:]
    private var watermarks: [UpstreamName: Position]
    /// The highest numbers that the ledger has given out, as last asked for.
    private var issued: [UpstreamName: IssuedNumbers] = [:]
    /// Upstreams that the ledger was asked about within this batch.
    private var asked = Set<UpstreamName>()
    /// Upstreams whose sessions moved since the last commit of a position.
    private var touched = Set<UpstreamName>()

    init(lease: ShardLease, log: LiveLog, state: ShardState, ledger: Ledger, metrics: ShardMetrics, logger: Logger) {
        self.lease = lease
        self.log = log
        self.ledger = ledger
        self.metrics = metrics
        self.logger = logger
        watermarks = state.watermarks
        for (upstream, watermark) in state.watermarks { trackers[upstream] = SessionTracker(state: .init(watermark: watermark)) }
        for (upstream, rows) in Dictionary(grouping: state.sessions, by: \.upstream) {
            let sessions = rows.map { SessionTracker.Session(number: $0.session, expectedN: $0.expectedN, rewindAsked: $0.broken) }
            trackers[upstream] = SessionTracker(state: .init(watermark: state.watermarks[upstream], sessions: sessions))
        }
    }

    /// A batch begins: the ledger may be asked once more about each upstream.
    mutating func begin() { asked.removeAll() }

    mutating func received(_ entry: UpstreamEntry, in batch: inout ShardBatch) async throws -> Step {
        let upstream = UpstreamName(kind: log.upstreams, host: entry.host)
        guard try await isIssued(entry, of: upstream) else { return .unissued }
        touched.insert(upstream)
        return try await follow(entry, of: upstream, &batch) ? .apply : .passed
    }

    /// Adds what is to be kept of the sessions that moved; a watermark only where it rose.
    func note(in batch: inout ShardBatch) {
        for upstream in touched {
            guard let state = trackers[upstream]?.state else { continue }
            for session in state.sessions {
                batch.sessions.append(
                    SessionProgress(upstream: upstream, session: session.number, expectedN: session.expectedN, broken: session.rewindAsked))
            }
            if let new = batch.watermarks[upstream], let old = watermarks[upstream], new <= old { batch.watermarks[upstream] = nil }
        }
    }

    /// A batch was committed with what ``note(in:)`` added to it; `isOfStream` where it moved the position.
    mutating func committed(_ batch: ShardBatch, isOfStream: Bool) {
        for (upstream, watermark) in batch.watermarks { watermarks[upstream] = watermark }
        if isOfStream { touched.removeAll() }
    }

    /// Whether the ledger has given out the entry's numbers. One that names higher ones is damaged or not Weir's: followed, it would make
    /// each later session an older one. The ledger is asked at the first entry of an upstream and of each new session, once for a batch: all of it
    /// was appended before.
    private mutating func isIssued(_ entry: UpstreamEntry, of upstream: UpstreamName) async throws -> Bool {
        func isKnown() -> Bool { issued[upstream].map { entry.session <= $0.session && entry.position.epoch <= $0.epoch } ?? false }
        if isKnown() { return true }
        guard asked.insert(upstream).inserted, let numbers = try await ledger.issuedNumbers(upstream) else { return false }
        issued[upstream] = numbers
        trackers[upstream]?.forget(above: numbers.session)
        return isKnown()
    }

    /// True where the entry is to be applied.
    private mutating func follow(_ entry: UpstreamEntry, of upstream: UpstreamName, _ batch: inout ShardBatch) async throws -> Bool {
        try await learnBaseline(upstream, before: entry, &batch)
        switch trackers[upstream, default: SessionTracker()].received(entry) {
        case .apply: return true
        case .duplicate, .stale: metrics.dropped()
        case .barrier(let watermark): batch.watermarks[upstream] = watermark
        case .opened(let gap):
            if let gap { batch.gaps.append((upstream, gap)) }
            if let watermark = trackers[upstream]?.state.watermark { batch.watermarks[upstream] = watermark }
        case .hole(let session, let expected, let got):
            askRewind(of: session, upstream, "entries are missing: n \(expected) expected, \(got) found", &batch)
        case .unopened(let session): askRewind(of: session, upstream, "the session's opening was not seen, or starts above the watermark", &batch)
        case .shed(let session): askRewind(of: session, upstream, "entries were left out while the shard was halted", &batch)
        }
        return false
    }

    private func askRewind(of session: Int64, _ upstream: UpstreamName, _ why: String, _ batch: inout ShardBatch) {
        batch.rewinds.append((upstream, session))
        metrics.rewindAsked()
        logger.warning(
            "rewind asked", metadata: ["shard": "\(lease.shard)", "upstream": "\(upstream)", "session": "\(session)", "reason": "\(why)"])
    }

    /// What only the ledger knows of an upstream, looked up before an entry is judged that would be refused without it: from where its
    /// very first session started, and from where a new numbering did, whose declared gap may have been lost with its opening.
    ///
    /// For the ledger, a shard without a watermark in the upstream's numbering counts as that baseline: the least over all shards is it then.
    private mutating func learnBaseline(_ upstream: UpstreamName, before entry: UpstreamEntry, _ batch: inout ShardBatch) async throws {
        var tracker = trackers[upstream] ?? SessionTracker()
        if let watermark = tracker.state.watermark {
            guard entry.kind == .open, entry.position.epoch > watermark.epoch, !tracker.accepts(from: entry.position, gap: entry.gap) else { return }
        }
        if tracker.state.watermark == nil {
            // This shard's own, not the least of all: at a new numbering that would hide what this one lacks of the old.
            guard let start = try await ledger.shardState(lease, log: log).watermarks[upstream] else { return }
            tracker = SessionTracker(state: .init(watermark: start, sessions: tracker.state.sessions))
            trackers[upstream] = tracker
            return try await learnBaseline(upstream, before: entry, &batch)
        }
        guard case .at(let baseline) = try await ledger.resumePosition(upstream) else { return }
        if let gap = tracker.renumbered(at: baseline) {
            batch.gaps.append((upstream, gap))
            batch.watermarks[upstream] = baseline
        }
        trackers[upstream] = tracker
    }
}
