public import Events

/// How fast a long operation goes, over the last half minute, and when it is worth telling.
///
/// Told are changes, at most once in ``tellEvery``, and that nothing changes once in ``heartbeatEvery``.
public struct ProgressMeter: Hashable, Sendable {
    public struct Totals: Hashable, Sendable {
        public var items: Int64
        public var records: Int64
        public var bytes: Int64

        public init(items: Int64 = 0, records: Int64 = 0, bytes: Int64 = 0) {
            self.items = items
            self.records = records
            self.bytes = bytes
        }
    }

    /// A second; never negative.
    public struct Rates: Hashable, Sendable {
        public var items = 0.0
        public var records = 0.0
        public var bytes = 0.0
    }

    public static let window: Duration = .seconds(30)
    /// Samples that are kept at most, however often it is told.
    public static let samplesMax = 64

    private struct Sample: Hashable, Sendable {
        var totals: Totals
        var at: MonotonicTime
    }

    private let tellEvery: Duration
    private let heartbeatEvery: Duration
    private var samples: [Sample] = []
    private var lastTold: MonotonicTime?

    public init(tellEvery: Duration = .seconds(1), heartbeatEvery: Duration = .seconds(30)) {
        self.tellEvery = tellEvery
        self.heartbeatEvery = heartbeatEvery
    }

    /// Takes what has been done so far. Totals that fell are a new count: rates begin anew.
    public mutating func took(_ totals: Totals, at now: MonotonicTime) -> Rates {
        if let last = samples.last?.totals, totals.items < last.items || totals.records < last.records || totals.bytes < last.bytes {
            samples.removeAll()
        }
        samples.append(Sample(totals: totals, at: now))
        // The first one stays for as long as it is the only one that reaches over the window.
        while samples.count > 2, now - samples[1].at >= Self.window || samples.count > Self.samplesMax { samples.removeFirst() }
        guard let first = samples.first, now > first.at else { return Rates() }
        let seconds = (now - first.at) / .seconds(1)
        return Rates(
            items: Double(totals.items - first.totals.items) / seconds, records: Double(totals.records - first.totals.records) / seconds,
            bytes: Double(totals.bytes - first.totals.bytes) / seconds)
    }

    /// Whether to tell now; what is told is then taken as told.
    public mutating func tells(hasChanged: Bool, at now: MonotonicTime) -> Bool {
        if let lastTold, now - lastTold < (hasChanged ? tellEvery : heartbeatEvery) { return false }
        lastTold = now
        return true
    }

    /// How long the rest takes at this pace; nil where nothing moves.
    public static func remaining(_ items: Int64, at rate: Double) -> Duration? {
        guard items > 0 else { return .zero }
        guard rate > 0 else { return nil }
        // A century is as good as never, and a duration has bounds.
        return .seconds(min(Double(items) / rate, 3_155_760_000))
    }
}
