import Events
import Testing

@testable import Flow

@Suite("A lease clock")
struct LeaseClockTests {
    private let start = MonotonicTime(sinceStart: .seconds(100))

    @Test("trusts a lease from the start of the call, for its time to live less the margin")
    func trust() {
        var clock = LeaseClock(timeToLive: .seconds(5), margin: .milliseconds(500))
        #expect(!clock.isTrusted(at: start))
        clock.renewed(callStartedAt: start)
        #expect(clock.isTrusted(at: start + .milliseconds(4_499)))
        #expect(!clock.isTrusted(at: start + .milliseconds(4_500)))
        #expect(clock.remaining(at: start + .seconds(4)) == .milliseconds(500))
        #expect(clock.remaining(at: start + .seconds(9)) == .zero)
    }

    @Test("keeps the later trust where an earlier call returns last")
    func order() {
        var clock = LeaseClock(timeToLive: .seconds(5), margin: .zero)
        clock.renewed(callStartedAt: start + .seconds(2))
        clock.renewed(callStartedAt: start)
        #expect(clock.isTrusted(at: start + .milliseconds(6_900)))
    }

    @Test("trusts nothing once the lease is lost, until it is taken anew")
    func lost() {
        var clock = LeaseClock()
        clock.renewed(callStartedAt: start)
        clock.lost()
        #expect(!clock.isTrusted(at: start))
        clock.renewed(callStartedAt: start + .seconds(1))
        #expect(clock.isTrusted(at: start + .seconds(2)))
    }
}
