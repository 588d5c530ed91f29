public import Flow

/// How a publisher works. Each value's unit and default stand with it; ``problems()`` says what is out of range.
public struct PublisherConfiguration: Hashable, Sendable {
    /// The sink whose rows it claims; runs' own outlet streams.
    public var sink = "outlet"
    /// Runs claimed at once, 1 to 1000.
    public var claims = 64
    /// Runs published at the same time, 1 to 64.
    public var concurrency = 8
    /// Events a batch, 1 to 10,000.
    public var batchEvents = 500
    /// Bytes of event bodies a batch, 1 KB to 64 MB.
    public var batchBytes = 4 << 20
    /// Entries that a run's outlet keeps, 1 to 1,000,000: what is older is read from Postgres.
    public var keepEntries = 20_000
    /// Bytes that a run's outlet keeps, estimated from the events' sizes; at least 64 KB.
    public var keepBytes = 64 << 20
    /// Time to live of a claim, 1 s to 60 s.
    public var leaseTTL: Duration = .seconds(5)
    /// Taken off the time to live for the time between a check and what is done under it; below the time to live.
    public var leaseMargin: Duration = .milliseconds(500)
    /// How often to look without having been woken, jittered by half; 10 ms to 60 s.
    public var pollEvery: Duration = .milliseconds(200)
    /// Wake-ups closer together than this share one round; 0 to 1 s.
    public var debounce: Duration = .milliseconds(5)
    /// How often `metric.events_published` is logged while there is something to say; 1 s to 1 h.
    public var reportEvery: Duration = .seconds(10)
    /// How a run that failed, or a ledger that does not answer, is tried again.
    public var retry = RetryPolicy.Limits(base: .milliseconds(100), cap: .seconds(10))

    public init() {}

    /// Every value that is out of its range: key, value, what is allowed. Empty where all is well.
    public func problems() -> [String] {
        var found: [String] = []
        func check<Value: Comparable>(_ key: String, _ value: Value, _ range: ClosedRange<Value>) {
            if !range.contains(value) { found.append("publisher.\(key) is \(value); allowed: \(range.lowerBound) to \(range.upperBound)") }
        }
        check("claims", claims, 1...1000)
        check("concurrency", concurrency, 1...64)
        check("batch_events", batchEvents, 1...10_000)
        check("batch_bytes", batchBytes, 1 << 10...64 << 20)
        check("keep_entries", keepEntries, 1...1_000_000)
        check("keep_bytes", keepBytes, 64 << 10...1 << 40)
        check("lease_ttl", leaseTTL, .seconds(1) ... .seconds(60))
        check("lease_margin", leaseMargin, .zero...leaseTTL / 2)
        check("poll_every", pollEvery, .milliseconds(10) ... .seconds(60))
        check("debounce", debounce, .zero ... .seconds(1))
        check("report_every", reportEvery, .seconds(1) ... .seconds(3600))
        return found
    }
}
