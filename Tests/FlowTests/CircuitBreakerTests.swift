import Events
import Testing

@testable import Flow

@Suite("A circuit breaker")
struct CircuitBreakerTests {
    private func at(_ seconds: Int64) -> MonotonicTime { MonotonicTime(sinceStart: .seconds(seconds)) }

    private func admit(_ breaker: inout CircuitBreaker, _ seconds: Int64) throws -> CircuitBreaker.Permit {
        let permit = breaker.admit(at: at(seconds))
        return try #require(permit)
    }

    private func expectAdmitted(_ breaker: inout CircuitBreaker, _ now: MonotonicTime, _ admitted: Bool) {
        let permit = breaker.admit(at: now)
        #expect((permit != nil) == admitted)
    }

    private func opened(threshold: Int = 3) throws -> CircuitBreaker {
        var breaker = CircuitBreaker(failureThreshold: threshold, recoveryTime: .seconds(10))
        for _ in 0..<threshold {
            let permit616 = try admit(&breaker, 0)
            breaker.failed(permit616, at: at(0))
        }
        #expect(breaker.state == .open(until: at(10)))
        return breaker
    }

    @Test("opens at its threshold; a success while closed takes one failure off")
    func closed() throws {
        var breaker = CircuitBreaker(failureThreshold: 3, recoveryTime: .seconds(10))
        let permit956 = try admit(&breaker, 0)
        breaker.succeeded(permit956)
        for _ in 0..<2 {
            let permit1023 = try admit(&breaker, 0)
            breaker.failed(permit1023, at: at(0))
        }
        let permit1083 = try admit(&breaker, 0)
        breaker.succeeded(permit1083)
        #expect(breaker.state == .closed(failures: 1))
        let permit1188 = try admit(&breaker, 0)
        breaker.failed(permit1188, at: at(0))
        #expect(breaker.state == .closed(failures: 2))
        let permit1301 = try admit(&breaker, 1)
        breaker.failed(permit1301, at: at(1))
        #expect(breaker.state == .open(until: at(11)))
    }

    @Test("admits nothing while open, then one probe at a time, and three successes close it whatever the threshold", arguments: [1, 3, 50])
    func recovery(threshold: Int) throws {
        var breaker = try opened(threshold: threshold)
        expectAdmitted(&breaker, at(9), false)
        #expect(breaker.waitTime(at: at(9)) == .seconds(1))
        for success in 0..<3 {
            #expect(breaker.state != .closed(failures: 0), "after \(success)")
            let probe = try admit(&breaker, 10)
            expectAdmitted(&breaker, at(10), false)
            breaker.succeeded(probe)
        }
        #expect(breaker.state == .closed(failures: 0))
    }

    @Test("opens again at a failed probe, and the clock starts anew")
    func reopened() throws {
        var breaker = try opened()
        let permit2224 = try admit(&breaker, 10)
        breaker.succeeded(permit2224)
        let permit2275 = try admit(&breaker, 15)
        breaker.failed(permit2275, at: at(16))
        #expect(breaker.state == .open(until: at(26)))
        expectAdmitted(&breaker, at(25), false)
    }

    @Test("ignores results of an earlier state, and a probe that says nothing leaves room for another")
    func late() throws {
        var breaker = CircuitBreaker(failureThreshold: 1, recoveryTime: .seconds(10))
        let early = try admit(&breaker, 0)
        let failing = try admit(&breaker, 0)
        breaker.failed(failing, at: at(0))
        breaker.succeeded(early)
        #expect(breaker.state == .open(until: at(10)))
        let probe = try admit(&breaker, 10)
        breaker.failed(early, at: at(10))
        #expect(breaker.state == .halfOpen(successes: 0))
        breaker.abandoned(probe)
        expectAdmitted(&breaker, at(10), true)
    }
}
