import Foundation
import TestSupport
import Testing

/// Events that a webhook refuses, under both policies, and an operator who mends it with the command line.
struct SinkPoison: Sendable {
    let fleet: FleetUnderTest
    let endpoint: SinkEndpoint
    let receiver: WebhookReceiver

    private struct Letter: Decodable {
        var id: Int
        var run: String
        var seq: Int64
        var state: String
    }

    func run() async throws {
        try await fleet.step("poison, under halt and under dead-letter") {
            for (name, policy) in [("strict", "halt"), ("lenient", "dead-letter")] {
                try await fleet.addSink(
                    #"{"name":"\#(name)","kind":"webhook","url":"\#(receiver.url)&to=\#(name)","runs":{"kinds":["order"]},"policy":"\#(policy)","#
                        + #""attempts":2,"retry":{"cap":"200ms"}}"#)
            }
            for (id, poison) in [("poison/1", 4), ("poison/2", 7), ("poison/3", 0)] {
                try await fleet.appendRun(id, (1...10).map { $0 == poison ? #"{"bad":true}"# : #"{"n":\#($0)}"# })
            }
            try await fleet.waitUntil("two runs halt in one sink, two events are laid aside in the other") { _ in
                let sinks = try await fleet.shownSinks()
                return sinks["strict"]?.haltedRuns == 2 && sinks["strict"]?.pendingRuns == 0 && sinks["lenient"]?.deadLetters == 2
                    && sinks["lenient"]?.pendingRuns == 0
            }
            let strict = try await letters("strict")
            #expect(strict.map(\.state) == ["halted", "halted"] && strict.map(\.seq) == [4, 7])
            let lenient = try await letters("lenient")
            #expect(lenient.map(\.state) == ["dead", "dead"] && lenient.map(\.seq) == [4, 7])
            #expect(taken("strict") == ["poison/1": Array(1...3), "poison/2": Array(1...6), "poison/3": Array(1...10)])
            let others = ["poison/1": [Int64(1)...3, 5...10], "poison/2": [1...6, 8...10], "poison/3": [1...10]].mapValues { $0.flatMap(\.self) }
            #expect(taken("lenient") == others)
            #expect(try await fleet.doctorCodes("sink strict") == ["sink_halted"])
            #expect(try await fleet.doctorCodes("sink lenient") == ["dead_letters"])
            try await mend(strict, lenient)
            #expect(try await fleet.doctorCodes("sink strict").isEmpty)
            #expect(try await fleet.doctorCodes("sink lenient").isEmpty)
        }
    }

    /// One halted run goes on behind the event, the other one with it once the endpoint takes it, and what was laid aside is offered again.
    private func mend(_ strict: [Letter], _ lenient: [Letter]) async throws {
        let skipped = try #require(strict.first)
        #expect(try await fleet.command("dlq", "skip", "\(skipped.id)").contains("\(skipped.id) skipped"))
        endpoint.mend()
        #expect(try await fleet.command("sinks", "reset", "strict", "--run", "poison/2").contains("strict reset"))
        for letter in lenient { #expect(try await fleet.command("dlq", "requeue", "\(letter.id)").contains("\(letter.id) requeued")) }
        try await fleet.waitUntil("all of it is delivered") { _ in
            let sinks = try await fleet.shownSinks()
            return ["strict", "lenient"].allSatisfy { name in
                sinks[name].map { $0.haltedRuns == 0 && $0.pendingRuns == 0 && $0.deadLetters == 0 } ?? false
            }
        }
        let whole = Array(Int64(1)...10)
        #expect(taken("strict") == ["poison/1": whole.filter { $0 != 4 }, "poison/2": whole, "poison/3": whole])
        #expect(taken("lenient").mapValues { $0.sorted() } == ["poison/1": whole, "poison/2": whole, "poison/3": whole])
        #expect(try await letters("strict").isEmpty)
        #expect(try await letters("lenient").isEmpty)
    }

    private func letters(_ sink: String) async throws -> [Letter] {
        struct Page: Decodable { var letters: [Letter] }
        let output = try await fleet.command("dlq", "--sink", sink, "--json")
        return try JSONDecoder().decode(Page.self, from: Data(output.utf8)).letters.sorted { ($0.run, $0.seq) < ($1.run, $1.seq) }
    }

    /// What the endpoint took for a sink, as its body and the log say it.
    private func taken(_ sink: String) -> [String: [Int64]] {
        var taken: [String: [Int64]] = [:]
        for call in receiver.calls where String(decoding: call.body, as: UTF8.self).contains(#""sink":"\#(sink)""#) {
            if call.isTaken { taken[call.run, default: []] += call.seqs }
        }
        return taken
    }
}
