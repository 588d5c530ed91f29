import Testing

@testable import Flow

@Suite("Sessions, dense numbers and barriers, in random histories")
struct SessionModelTests {
    private static let histories = 2_500 * Histories.factor

    @Test("nothing is missing below a watermark, no key goes back, and all arrives once faults end", arguments: 0..<8)
    func histories(part: Int) {
        var seen = [Int](repeating: 0, count: ModelFault.allCases.count)
        for index in 0..<Self.histories {
            let seed = UInt64(part * 100_000_000 + index)
            var history = ModelHistory(seed: seed)
            history.run(steps: 90)
            for fault in seen.indices { seen[fault] += history.seen[fault] }
            if let violation = history.violation {
                Issue.record("seed \(seed): \(violation)")
                return
            }
        }
        for fault in ModelFault.allCases { #expect(seen[fault.rawValue] > 0, "\(fault) never happened") }
        if part == 0 { print("histories \(Self.histories): \(ModelFault.allCases.map { "\($0) \(seen[$0.rawValue])" }.joined(separator: ", "))") }
    }

    @Test("a ledger that raises the baseline at a new numbering hides what a shard still lacked of the old one")
    func hiddenWatermarks() {
        let bad = (0..<20_000).lazy.compactMap { seed -> String? in
            var history = ModelHistory(seed: UInt64(seed), ledger: .raisesBaseline)
            history.run(steps: 90)
            return history.violation.map { "seed \(seed): \($0)" }
        }
        let first = bad.first
        #expect(first != nil)
        if let first { print("with a raised baseline, \(first)") }
    }
}
