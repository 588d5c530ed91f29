import Events
import Flow
import Testing

@testable import Outbox

@Suite struct SinkGateTests {
    private func gate(_ more: [String: String] = [:]) throws -> SinkGate {
        let settings = ["kind": "stdout", "breaker.failures": "2", "breaker.recovery": "10s"].merging(more) { $1 }
        let definition = try SinkDefinition(
            name: #require(SinkName("s")), settings: SinkSettings(settings.map { SinkSettings.Setting($0.key, [$0.value]) }))
        return SinkGate(definition, at: .zero)
    }

    private func time(_ seconds: Int) -> MonotonicTime { .zero + .seconds(seconds) }

    @Test("a target that failed as often as its sink allows is claimed nothing for, then one run for a probe, then all again")
    func breaker() throws {
        let gate = try gate()
        for _ in 0..<2 {
            #expect(gate.claims(8, at: time(1)) == 8)
            gate.failed(try #require(gate.admit(1, at: time(1))), at: time(1))
        }
        #expect(gate.claims(8, at: time(2)) == 0)
        #expect(gate.admit(1, at: time(2)) == nil)
        #expect(gate.waitTime(at: time(2)) == .seconds(9))
        #expect(gate.claims(8, at: time(11)) == 1)
        for _ in 0..<3 {
            let permit = try #require(gate.admit(1, at: time(11)))
            #expect(gate.admit(1, at: time(11)) == nil, "two probes at once")
            gate.answered(permit)
        }
        #expect(gate.claims(8, at: time(11)) == 8)
    }

    @Test("a refusal of events is an answer: it opens no breaker, and a cancelled call says nothing")
    func answers() throws {
        let gate = try gate()
        for _ in 0..<5 {
            gate.answered(try #require(gate.admit(1, at: time(1))))
            gate.abandoned(try #require(gate.admit(1, at: time(1))))
        }
        #expect(gate.claims(8, at: time(1)) == 8)
    }

    @Test("a rate that is used up claims nothing until it is paid for")
    func rate() throws {
        let gate = try gate(["rate": "10"])
        _ = try #require(gate.admit(30, at: time(0)))
        #expect(gate.claims(8, at: time(1)) == 0)
        #expect(gate.admit(1, at: time(1)) == nil)
        #expect(gate.claims(8, at: time(3)) == 8)
    }
}
