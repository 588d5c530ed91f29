import NIOCore
import Testing

@testable import RedisClient

@Suite struct ReconnectPolicyTests {
    @Test("pauses double from the least to the cap, jitter inside it, and a success starts anew") func doubles() {
        var policy = ReconnectPolicy(min: .milliseconds(50), max: .seconds(2))
        let now = NIODeadline.uptimeNanoseconds(1_000_000_000)
        #expect(policy.wait(now: now) == .nanoseconds(0))
        var full: [Int64] = []
        for _ in 0..<60 {
            policy.failed(now: now, random: 1)
            full.append(policy.wait(now: now).nanoseconds / 1_000_000)
        }
        #expect(full.prefix(7) == [50, 100, 200, 400, 800, 1600, 2000])
        #expect(full.last == 2000)
        policy.failed(now: now, random: 0)
        #expect(policy.wait(now: now) == .seconds(1))
        #expect(policy.wait(now: now + .seconds(5)) == .nanoseconds(0))
        policy.succeeded()
        #expect(policy.wait(now: now) == .nanoseconds(0))
    }
}
