import TestSupport
import Testing

@testable import Flow

@Suite("Checkpoints")
struct CheckpointsTests {
    @Test("one fires when a stream is a thousand past its own last one, whatever the other streams do")
    func perStream() {
        var checkpoints = Checkpoints<String>()
        var fired: [String] = []
        for sequence in Int64(1)...2500 {
            if let at = checkpoints.done("a", sequence) { fired.append("a\(at)") }
            if sequence % 3 == 0, let at = checkpoints.done("b", sequence / 3) { fired.append("b\(at)") }
        }
        #expect(fired == ["a1000", "a2000"])
        for sequence in Int64(834)...1000 { if let at = checkpoints.done("b", sequence) { fired.append("b\(at)") } }
        #expect(fired == ["a1000", "a2000", "b1000"])
        let ends = [checkpoints.end("a"), checkpoints.end("a"), checkpoints.end("b"), checkpoints.end("c")]
        #expect(ends == [2500, nil, nil, nil])
    }

    @Test("it never passes a missing sequence, and goes on once that is done")
    func gap() {
        var checkpoints = Checkpoints<Int>()
        checkpoints.begin(0, at: 40)
        let atGap = [checkpoints.done(0, 41...499), checkpoints.done(0, 503...9000), checkpoints.end(0)]
        #expect(atGap == [nil, nil, 499])
        #expect(checkpoints.gap(of: 0) == 500...502)
        let filled = [checkpoints.done(0, 501), checkpoints.done(0, 502), checkpoints.done(0, 500)]
        #expect(filled == [nil, nil, 9000])
        #expect(checkpoints.gap(of: 0) == nil)
    }

    @Test("sequences reach to 2^63 - 1")
    func last() {
        var checkpoints = Checkpoints<Int>()
        checkpoints.begin(0, at: .max - 1001)
        let steps = [
            checkpoints.done(0, .max), checkpoints.done(0, (.max - 1000)...(.max - 2)), checkpoints.done(0, .max - 1), checkpoints.done(0, .max),
        ]
        #expect(steps == [nil, nil, .max, nil])
        checkpoints.begin(1, at: 0)
        let whole = checkpoints.done(1, 1...Int64.max)
        #expect(whole == .max)
    }

    @Test("beside a plain statement of the rule, over random orders, repeats and several streams")
    func model() {
        let seed = TestSeed("checkpoints")
        var generator = seed.generator()
        for _ in 0..<200 {
            var checkpoints = Checkpoints<Int>(every: 10)
            var told: [Int: Set<Int64>] = [:]
            var last: [Int: Int64] = [:]
            for _ in 0..<300 {
                let stream = Int.random(in: 0...2, using: &generator)
                let sequence = Int64.random(in: 1...120, using: &generator)
                let length = Int64.random(in: 0...4, using: &generator)
                for step in 0...length { told[stream, default: []].insert(sequence + step) }
                var frontier: Int64 = 0
                while told[stream]?.contains(frontier + 1) == true { frontier += 1 }
                let expected = frontier - last[stream, default: 0] >= 10 ? frontier : nil
                let fired = checkpoints.done(stream, sequence...sequence + length)
                #expect(fired == expected, "\(seed)")
                if let fired { last[stream] = fired }
                let next = told[stream]?.filter { $0 > frontier }.min()
                #expect(checkpoints.gap(of: stream) == next.map { frontier + 1...$0 - 1 })
            }
        }
    }
}
