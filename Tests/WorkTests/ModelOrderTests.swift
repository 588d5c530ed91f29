import Flow
import Foundation
import TestSupport
import Testing

@testable import Work

/// The same generator as `Flow`'s models, with the same words.
@Suite("Order of a DID's messages from two relays, in random histories")
struct ModelOrderTests {
    private static let factor = max(1, ProcessInfo.processInfo.environment["WEIR_TEST_HISTORIES"].flatMap(Int.init) ?? 1)

    @Test("each rev is in the log once and in order, a break is told where one is missing, and nothing is held for ever", arguments: [true, false])
    func histories(isPatient: Bool) {
        let seed = TestSeed("order of messages, patient \(isPatient)")
        for index in 0..<2_500 * Self.factor {
            let number = seed.value &+ UInt64(index)
            var random = SeededGenerator(seed: number)
            let (setting, events) = Self.history(isPatient, &random)
            guard let problem = Self.run(setting, events) else { continue }
            var few = events
            var place = 0
            while place < few.count {
                var candidate = few
                candidate.remove(at: place)
                if Self.run(setting, candidate) != nil { few = candidate } else { place += 1 }
            }
            let trace = few.map { "  \($0)" }.joined(separator: "\n")
            Issue.record("WEIR_TEST_SEED=\(number): \(Self.run(setting, few) ?? problem)\n\(setting)\n\(trace)")
            return
        }
    }

    private static func run(_ setting: ModelOrder.Setting, _ events: [ModelOrder.Event]) -> String? {
        var model = ModelOrder(setting)
        for event in events {
            model.perform(event)
            if let problem = model.problem { return problem }
        }
        model.settle()
        return model.problem
    }

    private static func history(_ isPatient: Bool, _ random: inout SeededGenerator) -> (ModelOrder.Setting, [ModelOrder.Event]) {
        let dids = Int.random(in: 1...3, using: &random)
        var source: [(did: Int, index: Int)] = []
        var last = Array(repeating: 0, count: dids)
        for _ in 0..<Int.random(in: 5...40, using: &random) {
            let did = Int.random(in: 0..<dids, using: &random)
            if Int.random(in: 0..<10, using: &random) == 0 {
                source.append((did, 0))
            } else {
                last[did] += 1
                source.append((did, last[did]))
            }
        }
        var relays: [[(did: Int, index: Int)]] = [[], []]
        for (place, message) in source.enumerated() {
            // Whom it is lost by: nobody, the first, the second, or (where that is allowed) both. The first is never lost: it is where a chain begins.
            let loser = place < 3 || message.index <= 1 ? 0 : Int.random(in: 0..<(isPatient ? 9 : 10), using: &random)
            if loser != 1, loser != 9 { relays[0].append(message) }
            if loser != 2, loser != 9 { relays[1].append(message) }
        }
        let limits = isPatient ? HoldTable.Limits(perDID: 1_000, total: 1_000) : HoldTable.Limits(perDID: 4, total: 8)
        let events = (0..<60).map { _ -> ModelOrder.Event in
            let relay = Int.random(in: 0...1, using: &random)
            switch Int.random(in: 0..<16, using: &random) {
            case 0...6: return .deliver(relay: relay, count: Int.random(in: 1...6, using: &random))
            case 7: return .rewind(relay: relay, by: Int.random(in: 1...12, using: &random))
            case 8, 9: return .pass(seconds: [0, 1, 2, 5, 31].randomElement(using: &random) ?? 1)
            case 10...12: return .sweep
            case 13: return .takeOver
            default: return .key(did: Int.random(in: 0..<dids, using: &random), isThere: Bool.random(using: &random))
            }
        }
        return (.init(relays: relays, dids: dids, isPatient: isPatient, limits: limits), events)
    }
}
