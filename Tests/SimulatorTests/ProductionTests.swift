import Events
import Testing

@testable import Simulator

@Suite struct RatePacerTests {
    private static func time(_ milliseconds: Int) -> MonotonicTime { MonotonicTime(sinceStart: .milliseconds(milliseconds)) }

    @Test("a rate gives its events over a second, however often it is asked", arguments: [3, 10, 250])
    func rate(step: Int) {
        var pacer = RatePacer(rate: EventRate(eventsPerSecond: 400), now: .zero)
        let total = stride(from: step, through: 1_000, by: step).reduce(0) { $0 + pacer.due(now: Self.time($1), limit: 1_000) }
        #expect((395...400).contains(total))
    }

    @Test("a burst comes on top, a maximum ends it, a pause gives nothing")
    func shapes() {
        var burst = RatePacer(rate: EventRate(eventsPerSecond: 0, burstEvents: 50, burstEverySeconds: 1), now: .zero)
        #expect(burst.due(now: Self.time(900), limit: 256) == 0)
        #expect(burst.due(now: Self.time(1_000), limit: 256) == 50)
        #expect(burst.due(now: Self.time(1_900), limit: 256) == 0)
        var limited = RatePacer(rate: EventRate(eventsPerSecond: .infinity, eventsMax: 300), now: .zero)
        #expect(limited.due(now: .zero, limit: 256) == 256)
        #expect(limited.due(now: .zero, limit: 256) == 44)
        #expect(limited.isFinished)
        var paused = RatePacer(rate: .paused, now: .zero)
        #expect(paused.due(now: Self.time(60_000), limit: 256) == 0)
    }
}

@Suite struct FaultPlanTests {
    @Test("a schedule follows the seed, about as often as ordered, and ends when told to")
    func schedule() {
        func places(seed: UInt64) -> [Int] {
            var plan = FaultPlan(seed: seed, relays: 2)
            plan.take(FaultOrder(kind: .malformedFrame, relay: 1, everyEvents: 50))
            return (0..<5_000).filter { _ in !plan.next().isEmpty }
        }
        #expect((60...140).contains(places(seed: 1).count))
        #expect(places(seed: 1) == places(seed: 1))
        #expect(places(seed: 1) != places(seed: 2))

        var plan = FaultPlan(seed: 1, relays: 2)
        plan.take(FaultOrder(kind: .malformedFrame, everyEvents: 1))
        #expect(plan.next().map(\.relay) == [0, 1])
        plan.take(FaultOrder(kind: .malformedFrame, count: 0))
        #expect(plan.next().isEmpty)
    }

    @Test("what is asked for comes once an event until its count is reached")
    func asked() {
        var plan = FaultPlan(seed: 1, relays: 2)
        plan.take(FaultOrder(kind: .duplicate, relay: 0, count: 2))
        plan.take(FaultOrder(kind: .badSignature, relay: 1, count: 1))
        #expect(plan.waitingCount == 3)
        #expect(plan.next().map(\.order.kind) == [.duplicate, .badSignature])
        #expect(plan.next().map(\.order.kind) == [.duplicate])
        #expect(plan.next().isEmpty)
    }

    @Test("a configuration that cannot be is refused with its key")
    func validation() {
        #expect(throws: SimulatorError.self) { try SimulatorConfiguration(accounts: 100_001).validate() }
        #expect(throws: SimulatorError.self) { try FaultOrder(kind: .dropCommit).validate(relays: 1) }
        #expect(throws: SimulatorError.self) { try FaultOrder(kind: .silent, relay: 2).validate(relays: 2) }
        #expect(throws: Never.self) { try SimulatorConfiguration().validate() }
    }
}
