public import Events

/// What may be asked of strangers' hosts: a few requests at once, some starts a second, and nothing for a while after a failure.
///
/// Each request is admitted first, and comes back with its permit. A failure parks its host for a time that grows with each one (``RetryPolicy``), a
/// `Retry-After` for as long as the host asked, up to 15 minutes; then one new request at a time, until one
/// succeeds. Requests that were under way at a failure and fail too count as that same failure.
///
/// Bounded: about 200 bytes a host, ``Limits/hosts`` of them. A host about which there is nothing left to know is forgotten, without anybody seeing a
/// difference. Where there are more, the least recently used go, healthy ones first; one with a request under way is never forgotten.
public struct HostBudget: Sendable {
    public struct Limits: Hashable, Sendable {
        /// Requests under way at one host.
        public var requestsAtOnce: Int
        /// Between two starts at one host, on average.
        public var startInterval: Duration
        /// Starts that may follow each other without that interval, after a while without any.
        public var startsAtOnce: Int
        /// Hosts that are remembered.
        public var hosts: Int
        public var retry: RetryPolicy.Limits

        public init(
            requestsAtOnce: Int = 4, startInterval: Duration = .milliseconds(100), startsAtOnce: Int = 10, hosts: Int = 10_000,
            retry: RetryPolicy.Limits = RetryPolicy.Limits(base: .seconds(5), cap: .seconds(300))
        ) {
            self.requestsAtOnce = max(1, requestsAtOnce)
            self.startInterval = max(.zero, startInterval)
            self.startsAtOnce = max(1, startsAtOnce)
            self.hosts = max(1, hosts)
            self.retry = retry
        }
    }

    /// Leave for one request; to be given back by exactly one of `succeeded`, `failed` and `abandoned`.
    public struct Permit: Hashable, Sendable {
        public let host: String
        fileprivate let period: UInt32
    }

    public enum Answer: Hashable, Sendable {
        case go(Permit)
        /// Too many starts; may be asked again then.
        case wait(until: MonotonicTime)
        /// As many requests as are allowed are under way: may be asked again when one has come back.
        case full
        /// The host failed, or asked to be left alone (`isAsked`); may be asked again then.
        case parked(until: MonotonicTime, isAsked: Bool)
    }

    public let limits: Limits
    private var hosts: [String: Host] = [:]
    /// For tests.
    var remembered: [String: Host] { hosts }
    private var uses: UInt64 = 0
    /// The count of hosts at which those are looked for that can be forgotten.
    private var sweepAt: Int
    private let sweepAtLeast: Int

    public init(limits: Limits = Limits()) { self.init(limits: limits, sweepAtLeast: 64) }

    init(limits: Limits, sweepAtLeast: Int) {
        self.limits = limits
        self.sweepAtLeast = sweepAtLeast
        sweepAt = sweepAtLeast
    }

    /// Hosts that are remembered now.
    public var count: Int { hosts.count }

    /// Hosts to which nothing is sent now.
    public func parkedCount(at now: MonotonicTime) -> Int { hosts.values.count { now < $0.parkedUntil } }

    public mutating func admit(_ name: String, at now: MonotonicTime) -> Answer {
        guard var host = hosts[name] ?? makeRoom(at: now) else { return .full }
        uses += 1
        host.lastUse = uses
        defer { hosts[name] = host }
        if now < host.parkedUntil { return .parked(until: host.parkedUntil, isAsked: host.isAsked) }
        if host.underWay >= limits.requestsAtOnce || host.isOnTrial && host.underWayOfPeriod > 0 { return .full }
        // The bucket as one time: that at which it would be full again.
        let earliest = host.fullAt + limits.startInterval * -(limits.startsAtOnce - 1)
        if now < earliest { return .wait(until: earliest) }
        host.fullAt = max(host.fullAt, now) + limits.startInterval
        host.underWay += 1
        host.underWayOfPeriod += 1
        return .go(Permit(host: name, period: host.period))
    }

    /// The host answered, whatever it answered. True where that is news: it had failed before.
    @discardableResult
    public mutating func succeeded(_ permit: Permit, at now: MonotonicTime) -> Bool {
        var isNews = false
        returned(permit) { host in
            guard host.period == permit.period else { return }
            isNews = host.isOnTrial
            host.isOnTrial = false
            host.healthySince = host.healthySince ?? now
        }
        return isNews
    }

    /// The host failed, or asked for rest (`isAsked`); the time until which it is left alone.
    @discardableResult
    public mutating func failed(
        _ permit: Permit, at now: MonotonicTime, retryAfter: Duration? = nil, isAsked: Bool = false,
        using generator: inout some RandomNumberGenerator
    ) -> MonotonicTime {
        let retry = limits.retry
        var until = now
        returned(permit) { host in
            if host.period == permit.period {
                if let since = host.healthySince, now - since >= retry.healthyAfter { host.failures = 0 }
                host.parkedUntil = now + retry.delay(after: Int(host.failures), retryAfter: retryAfter, using: &generator)
                host.failures = min(host.failures + 1, 1000)
                host.healthySince = nil
                host.isOnTrial = true
                host.isAsked = isAsked
                host.period &+= 1
                host.underWayOfPeriod = 0
            } else if let retryAfter {
                host.parkedUntil = max(host.parkedUntil, now + min(retryAfter, retry.retryAfterMax))
                host.isAsked = host.isAsked || isAsked
            }
            until = host.parkedUntil
        }
        return until
    }

    /// The request ended without saying anything about the host (it was cancelled).
    public mutating func abandoned(_ permit: Permit) { returned(permit) { _ in } }

    private mutating func returned(_ permit: Permit, _ change: (inout Host) -> Void) {
        guard var host = hosts[permit.host], host.underWay > 0 else { return }
        host.underWay -= 1
        if host.period == permit.period { host.underWayOfPeriod -= 1 }
        change(&host)
        hosts[permit.host] = host
    }

    /// A new host, or nil where each of the remembered ones has a request under way.
    private mutating func makeRoom(at now: MonotonicTime) -> Host? {
        if hosts.count >= min(sweepAt, limits.hosts) {
            hosts = hosts.filter { !$0.value.isForgettable(at: now, limits.retry.healthyAfter) }
            sweepAt = max(sweepAtLeast, hosts.count * 2)
        }
        if hosts.count < limits.hosts { return Host() }
        // Some at once, so that not each of many new hosts costs a look at all.
        let idle = hosts.filter { $0.value.underWay == 0 }.sorted { a, b in
            (a.value.isFailing ? 1 : 0, a.value.lastUse) < (b.value.isFailing ? 1 : 0, b.value.lastUse)
        }
        for (name, _) in idle.prefix(max(1, limits.hosts / 16)) { hosts[name] = nil }
        return hosts.count < limits.hosts ? Host() : nil
    }
}

extension HostBudget {
    /// What is remembered of one host.
    struct Host: Sendable {
        var lastUse: UInt64 = 0
        var fullAt = MonotonicTime.zero
        var parkedUntil = MonotonicTime.zero
        var healthySince: MonotonicTime?
        var underWay: Int32 = 0
        /// Those of them that began after the last failure.
        var underWayOfPeriod: Int32 = 0
        var failures: Int32 = 0
        /// Grows with each failure that counts.
        var period: UInt32 = 0
        /// Failed, and nothing has succeeded since.
        var isOnTrial = false
        /// It was parked because it asked for that.
        var isAsked = false

        var isFailing: Bool { isOnTrial || failures > 0 }

        /// Whether a new one would be treated just the same.
        func isForgettable(at now: MonotonicTime, _ healthyAfter: Duration) -> Bool {
            guard underWay == 0, fullAt <= now, parkedUntil <= now, !isOnTrial else { return false }
            guard failures > 0 else { return true }
            return healthySince.map { now - $0 >= healthyAfter } ?? false
        }
    }
}
