import Testing

@testable import Ingest

@Suite struct SequenceWatchTests {
    private func verdicts(_ numbers: [Int64]) -> [SequenceWatch.Verdict] {
        var watch = SequenceWatch()
        return numbers.map { watch.received($0) }
    }

    @Test("repeats and swapped neighbours are passed on") func repeats() {
        #expect(verdicts([5, 5, 7, 6, 8]) == [.rising, .repeated, .rising, .repeated, .rising])
    }

    @Test("a deep fall is a new numbering at once") func deepFall() {
        #expect(verdicts([1_000, 1, 2]) == [.rising, .restarted, .rising])
    }

    @Test("a shallow fall that lasts is a new numbering too") func lastingFall() {
        let seen = verdicts([100] + Array(1...80).map { Int64($0) + 10 }.map { min($0, 99) })
        #expect(seen.filter { $0 == .restarted }.count == 1)
    }
}
