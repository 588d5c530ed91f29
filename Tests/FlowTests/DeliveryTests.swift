import Events
import TestSupport
import Testing

@testable import Flow

@Suite struct DeliveryTests {
    private func events(_ seqs: some Sequence<Int64>) -> [LogEvent] {
        seqs.map { LogEvent(run: .firehose(0), seq: $0, kind: .record, did: "did:plc:\($0)") }
    }

    @Test("what follows the cursor is delivered up to a gap; what the filter leaves out moves the cursor; a gap at the front is told")
    func plan() {
        func plan(_ seqs: some Sequence<Int64>, last: Int64 = 9, wants: (LogEvent) -> Bool = { _ in true }) -> DeliveryPlan {
            DeliveryPlan(next: 3, last: last, events: events(seqs), wants: wants)
        }
        #expect(plan(3...5) == .deliver(events(3...5), through: 5))
        #expect(plan([3, 4, 6]) == .deliver(events(3...4), through: 4))
        #expect(plan(3...7, wants: { $0.seq % 2 == 0 }) == .deliver(events([4, 6]), through: 7))
        #expect(plan(3...7, wants: { _ in false }) == .pass(through: 7))
        #expect(plan([5]) == .gap(expected: 3, lastGood: 2, found: 5))
        #expect(plan([]) == .gap(expected: 3, lastGood: 2, found: nil))
        #expect(plan([], last: 2) == .idle)
        #expect(plan([5], wants: { _ in false }) == .gap(expected: 3, lastGood: 2, found: 5))
    }

    @Test("batches keep the order, cover all, and stay within count and bytes but for one event that is larger")
    func cut() {
        #expect(DeliveryCut.ranges([], events: 5, bytes: 5).isEmpty)
        #expect(DeliveryCut.ranges([9, 1, 1, 9], events: 5, bytes: 4) == [0..<1, 1..<3, 3..<4])
        let seed = TestSeed("batches")
        var generator = seed.generator()
        for _ in 0..<2000 {
            let sizes = (0..<Int.random(in: 0...40, using: &generator)).map { _ in Int.random(in: 0...100, using: &generator) }
            let (events, bytes) = (Int.random(in: 1...8, using: &generator), Int.random(in: 1...200, using: &generator))
            let ranges = DeliveryCut.ranges(sizes, events: events, bytes: bytes)
            #expect(ranges.flatMap { Array($0) } == Array(sizes.indices), "\(seed)")
            for range in ranges {
                let sum = range.reduce(0) { $0 + sizes[$1] }
                #expect(!range.isEmpty && range.count <= events && (sum <= bytes || range.count == 1), "\(seed) \(sizes) \(ranges)")
            }
            // No batch could have taken the first of the next.
            for (one, next) in zip(ranges, ranges.dropFirst()) {
                let sum = one.reduce(0) { $0 + sizes[$1] } + sizes[next.lowerBound]
                #expect(one.count == events || sum > bytes, "\(seed) \(sizes) \(ranges)")
            }
        }
    }

    @Test(
        "a refused batch is halved until one event is refused alone; that one is offered up to its attempts, then the policy decides",
        arguments: PoisonPolicy.allCases)
    func poison(_ policy: PoisonPolicy) {
        var generator = SystemRandomNumberGenerator()
        var run = RunDelivery(policy: policy, attemptsMax: 3, limits: RetryPolicy.Limits(base: .milliseconds(100), cap: .seconds(1)))
        #expect(run.isFresh)
        var count = 50
        var offers = 0
        while count > 1 {
            #expect(run.failed(.poison, of: count, using: &generator) == .retry(after: .zero))
            count = min(count, run.batchMax)
            offers += 1
        }
        #expect(offers == 5 && run.batchMax == 1)
        for _ in 0..<2 {
            guard case .retry(let after) = run.failed(.poison, of: 1, using: &generator) else { return #expect(Bool(false), "too early") }
            #expect(after > .zero && after <= .milliseconds(200))
        }
        #expect(run.failed(.poison, of: 1, using: &generator) == (policy == .halt ? .halt : .layAside))
        for _ in 0..<20 { run.delivered(run.batchMax) }
        #expect(run.isFresh)
    }

    @Test("a target that fails is tried for ever, later and later up to the cap, or when it asks to be")
    func transient() {
        var generator = SystemRandomNumberGenerator()
        var run = RunDelivery(policy: .layAsideForTest, attemptsMax: 1, limits: RetryPolicy.Limits(base: .milliseconds(100), cap: .seconds(1)))
        for _ in 0..<100 {
            guard case .retry(let after) = run.failed(.transient(retryAfter: nil), of: 1, using: &generator) else {
                return #expect(Bool(false), "it was given up")
            }
            #expect(after <= .seconds(1) && after >= .milliseconds(50))
        }
        #expect(run.failed(.transient(retryAfter: .seconds(60)), of: 1, using: &generator) == .retry(after: .seconds(60)))
        run.delivered(1)
        #expect(run.isFresh)
    }

    @Test("a bucket lets as many through a second as it says, over any time, and what was taken ahead is paid for")
    func bucket() {
        var bucket = TokenBucket(perSecond: 10, at: .zero)
        var taken = 0
        for tick in 0..<1000 {
            let now = MonotonicTime(sinceStart: .milliseconds(tick * 10))
            if bucket.wait(at: now) == .zero {
                bucket.take(3, at: now)
                taken += 3
            }
        }
        // Ten seconds, one of them ahead, and one batch that began with less than it took.
        #expect((100...113).contains(taken), "\(taken)")
        var ahead = TokenBucket(perSecond: 10, at: .zero)
        ahead.take(30, at: .zero)
        #expect(ahead.wait(at: .zero) > .seconds(2) && ahead.wait(at: MonotonicTime(sinceStart: .seconds(3))) == .zero)
    }
}

extension PoisonPolicy {
    /// Any: a target's failure never comes to it.
    fileprivate static var layAsideForTest: PoisonPolicy { .deadLetter }
}
