/// How long the log is kept. Each value's unit and default stand with it; ``problems()`` says what is out of range.
public struct RetentionConfiguration: Hashable, Sendable {
    /// Whole days beside today that the log keeps, 0 to 36,500; 0: for ever.
    public var keepDays = 0
    /// Days after which one is dropped though a sink still needs it, 0 or `keepDays` to 36,500; 0: never.
    public var keepDaysMax = 0
    /// Partitions are made for so many days ahead, 1 to 366.
    public var daysAhead = 7
    /// How often it is looked, jittered by half; 100 ms to 1 d.
    public var checkEvery: Duration = .seconds(600)
    /// How long the log's lock is waited for, 1 ms to 10 s: readers and writers wait as long.
    public var lockTimeout: Duration = .milliseconds(200)
    /// How long a process that said nothing keeps others from it; 1 s to 1 h.
    public var leaseTTL: Duration = .seconds(600)

    public init() {}

    /// Every value that is out of its range: key, value, what is allowed. Empty where all is well.
    public func problems() -> [String] {
        var found: [String] = []
        func check<Value: Comparable>(_ key: String, _ value: Value, _ range: ClosedRange<Value>) {
            if !range.contains(value) { found.append("log.\(key) is \(value); allowed: \(range.lowerBound) to \(range.upperBound)") }
        }
        check("keep_days", keepDays, 0...36_500)
        if keepDaysMax != 0 { check("keep_days_max", keepDaysMax, max(1, keepDays)...36_500) }
        if keepDaysMax != 0, keepDays == 0 { found.append("log.keep_days_max is \(keepDaysMax); allowed: 0 while log.keep_days is 0") }
        check("days_ahead", daysAhead, 1...366)
        check("check_every", checkEvery, .milliseconds(100) ... .seconds(86_400))
        check("lock_timeout", lockTimeout, .milliseconds(1) ... .seconds(10))
        check("lease_ttl", leaseTTL, .seconds(1) ... .seconds(3600))
        return found
    }
}
