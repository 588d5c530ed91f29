public import Events

/// Who of those that wait may ask their host now: some at once in all, and each host within its ``HostBudget``.
///
/// First come, first served, but nobody waits behind another's host: one that is busy is passed over. Whoever waited for ``Limits/patience`` is sent away,
/// so that those behind it get to know the rest of the queue; whoever's host is left alone, at once. Bounded by the callers: one place each.
public struct FetchSlots: Sendable {
    public struct Limits: Hashable, Sendable {
        /// Requests under way at all hosts.
        public var atOnce: Int
        public var patience: Duration

        public init(atOnce: Int = 8, patience: Duration = .seconds(20)) {
            self.atOnce = max(1, atOnce)
            self.patience = patience
        }
    }

    public enum Verdict: Hashable, Sendable {
        case go(HostBudget.Permit)
        /// The host is left alone until then, because it failed or because it asked for that.
        case parked(until: MonotonicTime, isAsked: Bool)
        /// Its turn did not come.
        case crowded
    }

    public struct Round: Hashable, Sendable {
        /// Those whose waiting is over.
        public var verdicts: [Int: Verdict] = [:]
        /// When to look again, whatever happens until then; nil: only when something happens.
        public var wake: MonotonicTime?
    }

    private struct Waiting: Sendable {
        var id: Int
        var host: String
        var until: MonotonicTime
    }

    public let limits: Limits
    public private(set) var budget: HostBudget
    private var waiting: [Waiting] = []
    public private(set) var underWay = 0

    public init(limits: Limits = Limits(), budget: HostBudget = HostBudget()) {
        self.limits = limits
        self.budget = budget
    }

    public var waitingCount: Int { waiting.count }

    /// Somebody waits for a host, for ``Limits/patience`` or less. Its verdict comes with a later ``step(at:)``.
    public mutating func enter(_ id: Int, host: String, at now: MonotonicTime, atMost patience: Duration? = nil) {
        waiting.append(Waiting(id: id, host: host, until: now + min(patience ?? limits.patience, limits.patience)))
    }

    /// It does not wait any longer.
    public mutating func leave(_ id: Int) { waiting.removeAll { $0.id == id } }

    public mutating func step(at now: MonotonicTime) -> Round {
        var round = Round()
        var kept: [Waiting] = []
        for one in waiting {
            var again = one.until
            if now >= one.until {
                round.verdicts[one.id] = .crowded
                continue
            }
            if underWay < limits.atOnce {
                switch budget.admit(one.host, at: now) {
                case .go(let permit):
                    underWay += 1
                    round.verdicts[one.id] = .go(permit)
                    continue
                case .parked(let until, let isAsked):
                    round.verdicts[one.id] = .parked(until: until, isAsked: isAsked)
                    continue
                case .wait(let until): again = min(again, until)
                case .full: break
                }
            }
            round.wake = min(round.wake ?? again, again)
            kept.append(one)
        }
        waiting = kept
        return round
    }

    /// The host answered. True where that is news: it had failed before.
    public mutating func succeeded(_ permit: HostBudget.Permit, at now: MonotonicTime) -> Bool {
        underWay -= 1
        return budget.succeeded(permit, at: now)
    }

    /// The host failed, or asked to be left alone; until when it is.
    public mutating func failed(
        _ permit: HostBudget.Permit, at now: MonotonicTime, retryAfter: Duration?, isAsked: Bool, using generator: inout some RandomNumberGenerator
    ) -> MonotonicTime {
        underWay -= 1
        return budget.failed(permit, at: now, retryAfter: retryAfter, isAsked: isAsked, using: &generator)
    }

    /// The request ended without saying anything about the host.
    public mutating func abandoned(_ permit: HostBudget.Permit) {
        underWay -= 1
        budget.abandoned(permit)
    }
}
