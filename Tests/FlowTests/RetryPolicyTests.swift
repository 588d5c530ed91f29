import Events
import Testing

@testable import Flow

@Suite("A retry policy")
struct RetryPolicyTests {
    private let limits = RetryPolicy.Limits(base: .milliseconds(100), cap: .seconds(2), healthyAfter: .seconds(60), retryAfterMax: .seconds(30))

    @Test("doubles up to its cap, with jitter inside it")
    func growth() {
        var policy = RetryPolicy(limits: limits)
        var random = SplitMix64(seed: 1)
        for full in [100, 200, 400, 800, 1_600, 2_000, 2_000, 2_000] {
            let delay = policy.failed(at: .zero, using: &random)
            #expect(delay >= .milliseconds(full) / 2 && delay <= .milliseconds(full), "\(delay) of \(full)")
        }
        for _ in 0..<200 { #expect(policy.failed(at: .zero, using: &random) <= .seconds(2)) }
    }

    @Test("starts over after a healthy minute, not before")
    func reset() {
        var policy = RetryPolicy(limits: limits)
        var random = SplitMix64(seed: 2)
        for _ in 0..<10 { _ = policy.failed(at: .zero, using: &random) }
        policy.succeeded(at: .zero)
        #expect(policy.failed(at: MonotonicTime(sinceStart: .seconds(59)), using: &random) >= .seconds(1))
        policy.succeeded(at: MonotonicTime(sinceStart: .seconds(60)))
        policy.succeeded(at: MonotonicTime(sinceStart: .seconds(119)))
        #expect(policy.failed(at: MonotonicTime(sinceStart: .seconds(120)), using: &random) <= .milliseconds(100))
        #expect(policy.failures == 1)
    }

    @Test("waits as long as a server asks, within reason")
    func retryAfter() {
        var policy = RetryPolicy(limits: limits)
        var random = SplitMix64(seed: 3)
        #expect(policy.failed(at: .zero, retryAfter: .seconds(10), using: &random) == .seconds(10))
        #expect(policy.failed(at: .zero, retryAfter: .seconds(100_000), using: &random) == .seconds(30))
        #expect(policy.failed(at: .zero, retryAfter: .zero, using: &random) >= .milliseconds(200))
    }
}
