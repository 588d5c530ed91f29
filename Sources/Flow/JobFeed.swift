public import Events

/// What the feeder of the job stream does at each look: how many jobs it may add, and when it looks for jobs that got lost.
///
/// The stream is filled up to the high-water mark and never above it, then left alone down to the low-water mark. An empty stream is a reason to look
/// at once for jobs that should stand in it: Redis may have lost them.
public struct JobFeed: Hashable, Sendable {
    public struct Limits: Hashable, Sendable {
        /// What may stand in the stream.
        public var highWater: Int
        /// At which it is filled again: 75 % of ``highWater`` unless said otherwise.
        public var lowWater: Int
        /// Jobs that are added in one go at most.
        public var batch: Int
        /// How often jobs past their deadline are looked for.
        public var sweepEvery: Duration
        /// How often the deadlines of those that stand in the stream are put off.
        public var keepEvery: Duration

        public init(
            highWater: Int = 2_000, lowWater: Int? = nil, batch: Int = 1_000, sweepEvery: Duration = .seconds(1), keepEvery: Duration = .seconds(15)
        ) {
            self.highWater = max(1, highWater)
            self.lowWater = min(max(0, lowWater ?? self.highWater / 4 * 3 + self.highWater % 4 * 3 / 4), self.highWater - 1)
            self.batch = max(1, batch)
            self.sweepEvery = sweepEvery
            self.keepEvery = keepEvery
        }
    }

    /// In this order: keep, sweep, feed. What a sweep finds is fed in the same round.
    public struct Round: Hashable, Sendable {
        /// Put off the deadlines of the jobs in the stream.
        public var keeps = false
        /// Look for jobs past their deadline.
        public var sweeps = false
        /// The stream is empty: whatever is marked as standing in it was lost.
        public var isEmpty = false
        /// Jobs that may be added; 0: none.
        public var feed = 0

        public init(keeps: Bool = false, sweeps: Bool = false, isEmpty: Bool = false, feed: Int = 0) {
            self.keeps = keeps
            self.sweeps = sweeps
            self.isEmpty = isEmpty
            self.feed = feed
        }
    }

    public let limits: Limits
    private var isFilling = true
    private var lastLength: Int?
    private var lastSweep: MonotonicTime?
    private var lastKeep: MonotonicTime?
    private var asked = 0

    public init(limits: Limits = Limits()) { self.limits = limits }

    /// - Parameter length: of the stream, measured after what was fed in the last round.
    public mutating func looked(length: Int, now: MonotonicTime) -> Round {
        if length >= limits.highWater {
            isFilling = false
        } else if length <= limits.lowWater {
            isFilling = true
        }
        var round = Round(isEmpty: length == 0)
        let hasEmptied = length == 0 && lastLength != 0
        if hasEmptied || Self.isDue(lastSweep, limits.sweepEvery, now) {
            round.sweeps = true
            lastSweep = now
        }
        if length > 0, Self.isDue(lastKeep, limits.keepEvery, now) {
            round.keeps = true
            lastKeep = now
        }
        if isFilling { round.feed = min(limits.highWater - length, limits.batch) }
        asked = round.feed
        lastLength = length
        return round
    }

    /// Takes how many jobs were added; true: there may be more, look again at once.
    public mutating func fed(_ count: Int) -> Bool {
        if count > 0 { lastLength = nil }
        return asked > 0 && count >= asked && isFilling
    }

    private static func isDue(_ last: MonotonicTime?, _ every: Duration, _ now: MonotonicTime) -> Bool {
        guard let last else { return true }
        return now - last >= every
    }
}
