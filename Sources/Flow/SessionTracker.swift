public import Events

/// Follows the sessions of one upstream in one shard, and finds every loss between the ingester and the worker.
///
/// An entry is applied only where its session was opened at or below the watermark and its `n` is the expected one. So an applied
/// entry proves that everything of the upstream in front of it, in this shard, was applied too; a barrier says up to which position
/// that is. Lower numbers are repeats; a higher one is a hole behind which nothing is applied until the missing entry comes (a retry of
/// the ingester) or a newer session brings it (a rewind).
///
/// ``State-swift.struct`` is committed with the log rows that it speaks of; a take-over restores it and reads on from the committed offset.
/// Bounded: ``sessionsKept`` sessions, the newest. Source: DELIVERY, "Sessions, dense numbers, barriers".
public struct SessionTracker: Hashable, Sendable {
    /// What to do with an entry.
    public enum Verdict: Hashable, Sendable {
        /// The expected entry of a followed session: route it by its kind.
        case apply
        /// Seen before: drop it.
        case duplicate
        /// The session is followed from here on. A gap is what the upstream itself no longer has: to be recorded, shown and reconciled.
        case opened(gap: UpstreamEntry.Gap?)
        /// Everything up to `watermark` was in front of this entry, in this or in another session.
        case barrier(watermark: Position)
        /// Entries are missing in front of this one: drop it and ask for a rewind that names the session. Said once a session.
        case hole(session: Int64, expected: Int64, got: Int64)
        /// The session's opening was never seen, or it starts above the watermark: drop the entry and ask for a rewind. Said once a session.
        case unopened(session: Int64)
        /// The ingester left entries out because this shard was halted at its quota: ask for a rewind. Said once a session.
        case shed(session: Int64)
        /// Of a session that is no longer followed, or behind a loss that was reported already: drop it.
        case stale
    }

    /// What is known of one session.
    public struct Session: Hashable, Sendable {
        public var number: Int64
        /// The only `n` that is applied next; 0 until the session was opened, `Int64.max` once it left entries of this shard out.
        public var expectedN: Int64
        /// A rewind that names this session was asked for: it is not asked for again.
        public var rewindAsked: Bool

        public init(number: Int64, expectedN: Int64 = 0, rewindAsked: Bool = false) {
            self.number = number
            self.expectedN = expectedN
            self.rewindAsked = rewindAsked
        }
    }

    /// What is committed with each batch.
    public struct State: Hashable, Sendable {
        /// Everything of the upstream in this shard, up to and including here, is resolved (logged, refused and counted, or held).
        ///
        /// Nil accepts whichever session opens first, so only an upstream's very first session may meet it: set it to
        /// the position from which that one started, in every shard, before entries of a second session can arrive. A second session starts at
        /// a cursor hint, and a shard that lost the first one's entries would take it for the beginning.
        public var watermark: Position?
        /// By number, ascending; at most ``SessionTracker/sessionsKept``.
        public var sessions: [Session]

        public init(watermark: Position? = nil, sessions: [Session] = []) {
            self.watermark = watermark
            self.sessions = sessions
        }
    }

    public private(set) var state: State
    /// How many sessions are followed side by side: the current one, and those whose entries may still stand in the stream.
    public let sessionsKept: Int

    public init(state: State = State(), sessionsKept: Int = 4) {
        self.state = state
        self.sessionsKept = max(1, sessionsKept)
        self.state.sessions.sort { $0.number < $1.number }
        trimSessions()
    }

    public mutating func received(_ entry: UpstreamEntry) -> Verdict {
        guard let index = index(following: entry.session) else { return .stale }
        let session = state.sessions[index]
        // Nobody counts that far: not an ingester's, and behind it there is no number to expect.
        guard entry.n < .max else { return lost(at: index, got: entry.n) }
        if entry.n < session.expectedN { return .duplicate }
        if entry.n > session.expectedN { return lost(at: index, got: entry.n) }
        switch entry.kind {
        case .open: return open(at: index, entry)
        case .barrier: return barrier(at: index, entry)
        case .commit, .sync, .identity, .account, .labels, .malformed, .unknown:
            // An ingester that numbers anything but its opening with 0 is ours and wrong: the session is not trusted.
            guard entry.n > 0 else { return asked(at: index) ? .stale : .unopened(session: session.number) }
            state.sessions[index].expectedN += 1
            return .apply
        }
    }

    private mutating func open(at index: Int, _ entry: UpstreamEntry) -> Verdict {
        let number = state.sessions[index].number
        guard entry.n == 0 else {
            // A second opening inside a session: as above.
            return asked(at: index) ? .stale : .hole(session: number, expected: state.sessions[index].expectedN, got: entry.n)
        }
        guard accepts(from: entry.position, gap: entry.gap) else { return asked(at: index) ? .stale : .unopened(session: number) }
        state.sessions[index].expectedN = 1
        // Up to here all is resolved, or the upstream has it no more.
        state.watermark = max(state.watermark ?? entry.position, entry.position)
        return .opened(gap: entry.gap)
    }

    /// Whether a session that starts at `from`, behind this declared gap, may be followed.
    public func accepts(from: Position, gap: UpstreamEntry.Gap?) -> Bool {
        guard let watermark = state.watermark else { return true }
        if from <= watermark { return true }
        guard let gap else { return false }
        return gap.after <= watermark && from <= gap.through
    }

    private mutating func barrier(at index: Int, _ entry: UpstreamEntry) -> Verdict {
        let number = state.sessions[index].number
        guard entry.n > 0 else { return asked(at: index) ? .stale : .unopened(session: number) }
        state.sessions[index].expectedN += 1
        if entry.shed {
            // What was left out would be overtaken by whatever followed: the session ends here.
            state.sessions[index].expectedN = .max
            return asked(at: index) ? .stale : .shed(session: number)
        }
        let watermark = max(state.watermark ?? entry.position, entry.position)
        state.watermark = watermark
        return .barrier(watermark: watermark)
    }

    private mutating func lost(at index: Int, got: Int64) -> Verdict {
        let session = state.sessions[index]
        if asked(at: index) { return .stale }
        if session.expectedN == 0 { return .unopened(session: session.number) }
        return .hole(session: session.number, expected: session.expectedN, got: got)
    }

    /// A new numbering began at `baseline`, as the ledger knows: what this shard still lacks of the old one cannot be had any more.
    ///
    /// Returns that gap, which is to be recorded like any declared one; nil, and nothing changes, where the watermark is of that numbering already.
    public mutating func renumbered(at baseline: Position) -> UpstreamEntry.Gap? {
        guard let watermark = state.watermark, watermark.epoch < baseline.epoch else { return nil }
        state.watermark = baseline
        return UpstreamEntry.Gap(after: watermark, through: baseline)
    }

    /// Forgets sessions above `number`, the highest that was ever given out: a damaged entry named them, and each newer session would be taken for
    /// an older one.
    public mutating func forget(above number: Int64) { state.sessions.removeAll { $0.number > number } }

    /// Marks that a rewind is asked for; true where it was already.
    private mutating func asked(at index: Int) -> Bool {
        let already = state.sessions[index].rewindAsked
        state.sessions[index].rewindAsked = true
        return already
    }

    /// The place of a session, made where it is newer than all that are known; nil for an unknown older one.
    private mutating func index(following number: Int64) -> Int? {
        if let index = state.sessions.lastIndex(where: { $0.number == number }) { return index }
        // An older session that was never seen, or seen too long ago: what it could bring, each newer session brings too.
        if let newest = state.sessions.last, number < newest.number { return nil }
        state.sessions.append(Session(number: number))
        trimSessions()
        return state.sessions.count - 1
    }

    private mutating func trimSessions() {
        let surplus = state.sessions.count - sessionsKept
        if surplus > 0 { state.sessions.removeFirst(surplus) }
    }
}
