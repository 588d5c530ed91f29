import Testing

@Suite("Sessions, dense numbers and barriers, in random histories")
struct SessionModelTests {
    private static let histories = 2_500

    @Test("nothing is missing below a watermark, no key goes back, and all arrives once faults end", arguments: 0..<8)
    func histories(part: Int) {
        var seen = [Int](repeating: 0, count: ModelFault.allCases.count)
        for index in 0..<Self.histories {
            let seed = UInt64(part * 1_000_000 + index)
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
}
