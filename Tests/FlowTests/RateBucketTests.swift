import Events
import Testing

@testable import Flow

@Suite struct RateBucketTests {
    private func at(_ milliseconds: Int) -> MonotonicTime { MonotonicTime(sinceStart: .milliseconds(milliseconds)) }

    @Test func `a burst is taken at once, then one as time passes, and who waits is told how long`() {
        var bucket = RateBucket(.init(perSecond: 10, burst: 3))
        for _ in 0..<3 { #expect(bucket.take(now: at(0)) == nil) }
        #expect(bucket.take(now: at(0)) == .milliseconds(100))
        #expect(bucket.take(now: at(60)) == .milliseconds(40))
        #expect(bucket.take(now: at(100)) == nil)
        #expect(bucket.take(now: at(100)) == .milliseconds(100))
        for _ in 0..<3 { #expect(bucket.take(now: at(10_000)) == nil) }
        #expect(bucket.take(now: at(10_000)) != nil)
    }

    @Test func `bounds are taken into what is allowed`() {
        var one = RateBucket(.init(perSecond: 0, burst: 0))
        #expect(one.take(now: at(0)) == nil)
        #expect(one.take(now: at(0)) == .seconds(1))
        var many = RateBucket(.init(perSecond: 1_000_000, burst: .max))
        for _ in 0..<1000 { #expect(many.take(now: at(0)) == nil) }
    }

    @Test func `whatever comes, no stretch of time sees more than its rate and one burst, and who waited as told is let in`() {
        Histories.check("a rate bucket", 1_000) { random in
            let limits = RateBucket.Limits(perSecond: random.pick([1, 3, 10, 333]), burst: random.number(1...8))
            return (limits, (0..<random.number(1...60)).map { _ in random.pick([0, 0, 1, 7, 100, 333, 2_000]) })
        } run: { (limits: RateBucket.Limits, pauses: [Int]) in
            var bucket = RateBucket(limits)
            var (now, taken): (Int, [Int]) = (0, [])
            for pause in pauses {
                now += pause
                var waited = bucket
                if let wait = bucket.take(now: at(now)) {
                    if waited.take(now: MonotonicTime(sinceStart: .milliseconds(now) + wait)) != nil { return "waited \(wait) for nothing" }
                    if wait <= .zero { return "told to wait \(wait)" }
                } else {
                    taken.append(now)
                }
                for (index, start) in taken.enumerated() {
                    let count = taken.count - index
                    if Double(count) > Double(limits.burst) + Double((taken.last ?? now) - start) / 1000 * Double(limits.perSecond) + 1e-6 {
                        return "\(count) from \(start) ms on"
                    }
                }
            }
            return taken.isEmpty ? "nothing was let in" : nil
        }
    }
}
