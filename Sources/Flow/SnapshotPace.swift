public import Events

/// How many parts of snapshots a process applies at once, so that live events stay fast: as many as are allowed while nothing is live, and fewer as live
/// events get late.
///
/// Beside live batches it is one part at a time, with a rest behind each. The worst delay of live batches in each short interval is compared with a target:
/// above it the share of time for parts is halved, below it it rises by a step; it never falls to nothing, so neither waits for the other for ever. The
/// target is a time, or half more than what live batches take while hardly any part is applied, where that is longer: on a machine that is slow by itself
/// it would do no good to stand back. Parts grow while they take less than the target and shrink where they take more, since a live batch of the same shard
/// waits for the part in front of it. No I/O, no clock.
public struct SnapshotPace: Sendable {
    public struct Limits: Hashable, Sendable {
        /// Parts at once where nothing is live.
        public var most: Int
        /// Of a live batch, from its read to its commit.
        public var delayTarget: Duration
        /// The share of time that parts have at least beside live batches.
        public var least: Double
        /// What delays are gathered over.
        public var interval: Duration
        /// Without a live batch for so long nothing is live.
        public var quietAfter: Duration
        /// Bytes of a part.
        public var partBytes: ClosedRange<Int>

        public init(
            most: Int = 4, delayTarget: Duration = .milliseconds(50), least: Double = 0.05, interval: Duration = .milliseconds(100),
            quietAfter: Duration = .seconds(2), partBytes: ClosedRange<Int> = (32 << 10)...(512 << 10)
        ) {
            self.most = max(1, most)
            self.delayTarget = max(.milliseconds(1), delayTarget)
            self.least = min(max(0.001, least), 1)
            self.interval = max(.milliseconds(1), interval)
            self.quietAfter = max(.milliseconds(1), quietAfter)
            self.partBytes = partBytes
        }
    }

    public enum Verdict: Hashable, Sendable {
        /// A part of about so many bytes may be taken; ``end(bytes:took:at:)`` follows.
        case go(bytes: Int)
        /// May be asked again then.
        case rest(until: MonotonicTime)
        /// May be asked again when a part has ended.
        case full
    }

    public let limits: Limits
    /// Parts at once beside live batches, `limits.least` to 1: below one it is one part, with a rest behind it.
    public private(set) var share = 1.0
    public private(set) var underWay = 0
    private var restUntil = MonotonicTime.zero
    private var lastLive: MonotonicTime?
    private var worst = Duration.zero
    private var intervalEnd = MonotonicTime.zero
    /// Taken by parts in this interval.
    private var partTime = Duration.zero
    /// What live batches take without parts, the worst of an interval, smoothed; nil before it was seen. Forgotten slowly while it is not seen.
    private var delayAlone: Duration?
    /// Of a part beside live batches.
    private var liveBytes: Int

    public init(limits: Limits = Limits()) {
        self.limits = limits
        liveBytes = limits.partBytes.lowerBound
    }

    /// How many repositories may be fetched at once where `most` is full speed, and each shard's stream holds so many entries that are not applied.
    ///
    /// Beside live events fetches take time from them too, and gain nothing where what they bring only waits: as many as parts are allowed, and none while a
    /// shard has an entry to apply on average. A shard counts for two at most, so a huge repository in one of them holds up none of the others.
    public func fetches(of most: Int, waiting: [Int], at now: MonotonicTime) -> Int {
        guard isLive(at: now) else { return most }
        guard waiting.reduce(0, { $0 + min($1, 2) }) < max(1, waiting.count) else { return 0 }
        return max(1, Int(Double(most) * share / Double(limits.most)))
    }

    /// A live batch was committed so long after its first entry was read.
    public mutating func live(delay: Duration, at now: MonotonicTime) {
        if !isLive(at: now) { intervalEnd = now + limits.interval }
        lastLive = now
        worst = max(worst, delay)
        guard now >= intervalEnd else { return }
        if underWay == 0, partTime < limits.interval / 10 {
            sawAlone(worst)
        } else {
            delayAlone = delayAlone.map { $0 * 0.998 }
        }
        // One at a time beside live batches: of all shards then only one has a part in front of them.
        share = worst > delayTarget ? max(limits.least, share * 0.5) : min(1, share * 1.05 + 0.01)
        (worst, partTime) = (.zero, .zero)
        intervalEnd = now + limits.interval
    }

    /// Few parts are applied also while something else makes live batches late: that they are slow is believed after some seconds, that they are quick at
    /// once. Otherwise a slow moment would raise the target, and with it what makes them late.
    private mutating func sawAlone(_ delay: Duration) {
        guard let known = delayAlone else { return delayAlone = delay }
        delayAlone = known + (delay - known) * (delay < known ? 0.2 : 0.02)
    }

    /// What is compared with now.
    var delayTarget: Duration { max(limits.delayTarget, (delayAlone ?? .zero) * 1.5) }

    public mutating func begin(at now: MonotonicTime) -> Verdict {
        guard isLive(at: now) else {
            guard underWay < limits.most else { return .full }
            underWay += 1
            return .go(bytes: limits.partBytes.upperBound)
        }
        guard underWay == 0 else { return .full }
        if now < restUntil { return .rest(until: restUntil) }
        underWay += 1
        return .go(bytes: liveBytes)
    }

    /// A part ended, whatever came of it.
    public mutating func end(bytes: Int, took: Duration, at now: MonotonicTime) {
        underWay -= 1
        partTime += took
        if bytes > 0 {
            let fits = took <= delayTarget * 0.6
            // A small one that took little says nothing of large ones.
            if !fits || bytes * 2 > liveBytes {
                let next = Double(liveBytes) * (fits ? 1.25 : 0.6)
                liveBytes = Int(min(max(next, Double(limits.partBytes.lowerBound)), Double(limits.partBytes.upperBound)))
            }
        }
        restUntil = now + took * (1 / share - 1)
    }

    private func isLive(at now: MonotonicTime) -> Bool { lastLive.map { now - $0 < limits.quietAfter } ?? false }
}
