import Events
import TestSupport
import Testing

@testable import Flow

@Suite struct SinkMachineTests {
    private func seen(
        paused: Bool = false, breaker: CircuitBreaker.State = .closed(failures: 0), halted: Int = 0, lag: Duration = .zero, known: Bool = true
    ) -> SinkHealth.Observation {
        SinkHealth.Observation(isPaused: paused, breaker: breaker, haltedRuns: halted, lag: lag, isKnown: known)
    }

    @Test("the state is what counts most of what is known, and since is when it became so")
    func health() {
        var health = SinkHealth(laggingAfter: .seconds(5), at: WallTime(microseconds: 1))
        #expect(health.state == .starting)
        var now: Int64 = 1
        func then(_ observation: SinkHealth.Observation, _ state: SinkHealth.State, changes: Bool = true) {
            now += 1
            let before = health.since
            #expect(health.observe(observation, at: WallTime(microseconds: now)) == changes)
            #expect(health.state == state)
            #expect(health.since == (changes ? WallTime(microseconds: now) : before))
        }
        then(seen(known: false), .starting, changes: false)
        then(seen(), .healthy)
        then(seen(lag: .seconds(5)), .healthy, changes: false)
        then(seen(lag: .seconds(6)), .lagging)
        then(seen(lag: .seconds(3)), .lagging, changes: false)
        then(seen(lag: .seconds(2)), .healthy)
        then(seen(halted: 1, lag: .seconds(9)), .halted)
        then(seen(breaker: .open(until: .zero), halted: 1), .backingOff)
        then(seen(breaker: .halfOpen(successes: 0), halted: 1), .backingOff, changes: false)
        then(seen(paused: true, breaker: .open(until: .zero), halted: 1), .paused)
        then(seen(breaker: .closed(failures: 4)), .healthy)
    }

    @Test("sinks that run follow the desired ones: each begins once, ends before it begins anew, and no other is touched")
    func roster() throws {
        let (a, b, c) = (try #require(SinkName("a")), try #require(SinkName("b")), try #require(SinkName("c")))
        func desired(_ name: SinkName, _ generation: Int64) -> SinkRoster.Desired { SinkRoster.Desired(name, generation: generation) }
        var roster = SinkRoster()
        #expect(roster.reconcile([desired(b, 1), desired(a, 1)]) == [.begin(desired(a, 1)), .begin(desired(b, 1))])
        #expect(roster.reconcile([desired(b, 1), desired(a, 1)]).isEmpty)
        // Changed, removed, and another made: only the new one can begin now.
        #expect(roster.reconcile([desired(a, 2), desired(c, 1)]) == [.end(a), .end(b), .begin(desired(c, 1))])
        #expect(roster.reconcile([desired(a, 3), desired(c, 1)]).isEmpty)
        roster.ended(b)
        roster.ended(a)
        #expect(roster.reconcile([desired(a, 3), desired(c, 1)]) == [.begin(desired(a, 3))])
        // One that ended by itself begins anew.
        roster.ended(c)
        #expect(roster.reconcile([desired(a, 3), desired(c, 1)]) == [.begin(desired(c, 1))])
        #expect(roster.names == [a, c])
    }

    @Test("whatever is desired in whatever order, no sink runs twice, and once nothing changes exactly the desired ones run")
    func rosterHistories() throws {
        let seed = TestSeed("roster")
        var generator = seed.generator()
        let names = try "abcde".map { try #require(SinkName(String($0))) }
        for _ in 0..<500 {
            var roster = SinkRoster()
            var desired: [SinkName: Int64] = [:]
            var running: [SinkName: (generation: Int64, isEnding: Bool)] = [:]
            func look() {
                for step in roster.reconcile(desired.map { SinkRoster.Desired($0.key, generation: $0.value) }) {
                    switch step {
                    case .begin(let sink):
                        #expect(running[sink.name] == nil, "\(seed)")
                        running[sink.name] = (sink.generation, false)
                    case .end(let name):
                        #expect(running[name]?.isEnding == false, "\(seed)")
                        running[name]?.isEnding = true
                    }
                }
            }
            for _ in 0..<40 {
                guard let name = names.randomElement(using: &generator) else { return }
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: desired[name] = (desired[name] ?? 0) + 1
                case 1: desired[name] = nil
                case 2: look()
                default:
                    if running.removeValue(forKey: name) != nil { roster.ended(name) }
                }
            }
            for _ in 0..<3 {
                look()
                for (name, sink) in running where sink.isEnding {
                    running[name] = nil
                    roster.ended(name)
                }
            }
            #expect(running.mapValues(\.generation) == desired, "\(seed)")
        }
    }
}
