import Events

/// Decides how many events are due. Knows no clock: time comes in.
struct RatePacer: Sendable {
    private(set) var rate: EventRate
    private var credit: Double = 0
    private var last: MonotonicTime
    private var burstAt: MonotonicTime
    private var left: Int?

    init(rate: EventRate, now: MonotonicTime) {
        self.rate = rate
        last = now
        burstAt = now + .seconds(rate.burstEverySeconds)
        left = rate.eventsMax
    }

    /// True when `eventsMax` has been reached: no event follows under this rate.
    var isFinished: Bool { left == 0 }

    /// The number of events to make now, at most `limit`. What was missed while nobody asked is made up for one second only.
    mutating func due(now: MonotonicTime, limit: Int) -> Int {
        var count: Int
        if rate.eventsPerSecond.isInfinite {
            count = limit
        } else {
            let elapsed = Double((now - last).milliseconds) / 1000
            // A rest below a millisecond stays for the next call.
            if elapsed > 0 { last = now }
            credit = min(credit + elapsed * rate.eventsPerSecond, max(rate.eventsPerSecond, 1) + Double(rate.burstEvents))
            if rate.burstEvents > 0, rate.burstEverySeconds > 0, now >= burstAt {
                credit += Double(rate.burstEvents)
                burstAt = now + .seconds(rate.burstEverySeconds)
            }
            count = min(Int(credit), limit)
            credit -= Double(count)
        }
        if let left {
            count = min(count, left)
            self.left = left - count
        }
        return count
    }
}
