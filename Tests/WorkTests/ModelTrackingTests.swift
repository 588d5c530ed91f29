import Foundation
import TestSupport
import Testing

@testable import Work

@Suite("Tracked repositories, in random histories")
struct ModelTrackingTests {
    private static func steps(_ random: inout SeededGenerator) -> [ModelTracking.Step] {
        (0..<Int.random(in: 5...60, using: &random)).map { _ in
            let account = Int.random(in: 0..<ModelTracking.accounts, using: &random)
            switch Int.random(in: 0..<34, using: &random) {
            case 0..<12:
                let keys = (0...Int.random(in: 0...5, using: &random)).map { _ in Int.random(in: 0..<12, using: &random) }
                return .commit(
                    account: account, keys: keys, value: Int.random(in: 0..<400, using: &random), isLost: Int.random(in: 0..<8, using: &random) == 0,
                    isDelayed: Int.random(in: 0..<6, using: &random) == 0)
            case 12: return .setActive(account: account, Bool.random(using: &random))
            case 13: return .fork(account: account, commits: Int.random(in: 1...2, using: &random))
            case 14: return .deliverDelayed
            case 15..<20: return .fetch(account: account, entries: nil, lost: nil)
            case 20: return .fetch(account: account, entries: Int.random(in: 0...4, using: &random), lost: nil)
            case 21: return .fetch(account: account, entries: nil, lost: Int.random(in: 0...6, using: &random))
            case 22: return .slowFetch(account: account)
            case 23: return .finishSlowFetch
            case 24..<31: return .owner(entries: Int.random(in: 1...6, using: &random))
            case 31: return .flush
            case 32: return .takeOver
            default: return Int.random(in: 0..<4, using: &random) == 0 ? .remove(account: account) : .add(account: account)
            }
        }
    }

    private static func run(_ steps: [ModelTracking.Step], _ seed: UInt64) -> String? {
        var model = ModelTracking(rangeMax: Int(seed % 3) == 0 ? 2 : 100, holdMax: 2 + Int(seed % 4))
        for step in steps {
            model.happen(step)
            if let problem = model.problem { return problem }
        }
        model.settle()
        return model.difference()
    }

    @Test("what was delivered is what the repository holds once faults end, no record twice and none missing")
    func converges() {
        let seed = TestSeed("tracked repositories")
        let factor = ProcessInfo.processInfo.environment["WEIR_TEST_HISTORIES"].flatMap(Int.init) ?? 1
        for index in 0..<UInt64(3_000 * max(1, factor)) {
            let number = seed.value &+ index
            var random = SeededGenerator(seed: number)
            let steps = Self.steps(&random)
            guard let problem = Self.run(steps, number) else { continue }
            var few = steps
            var place = 0
            while place < few.count {
                var candidate = few
                candidate.remove(at: place)
                if Self.run(candidate, number) != nil { few = candidate } else { place += 1 }
            }
            let trace = few.map { "  \($0)" }.joined(separator: "\n")
            Issue.record("WEIR_TEST_SEED=\(number): \(Self.run(few, number) ?? problem)\n\(trace)")
            return
        }
    }
}
