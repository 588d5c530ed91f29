import Foundation
import TestSupport
import Testing

/// Runs a machine through random histories beside its model; the first difference is shown with the shortest history that still has it.
///
/// A history depends on its seed alone. The seeds are consecutive from a printed one (`WEIR_TEST_SEED` sets it, so that the one which a
/// failure names is the first of the next run). `WEIR_TEST_HISTORIES` multiplies how many there are.
enum Histories {
    static let factor = max(1, ProcessInfo.processInfo.environment["WEIR_TEST_HISTORIES"].flatMap(Int.init) ?? 1)

    /// - Parameters:
    ///   - history: what happens, complete: running it asks for no more random numbers.
    ///   - run: nil, or what the machine did that the model did not.
    static func check<Setting, Event>(
        _ name: String, _ count: Int, history: (inout SplitMix64) -> (Setting, [Event]), run: (Setting, [Event]) -> String?
    ) {
        let seed = TestSeed(name)
        for index in 0..<count * factor {
            let number = seed.value &+ UInt64(index)
            var random = SplitMix64(seed: number)
            let (setting, events) = history(&random)
            guard let problem = run(setting, events) else { continue }
            let few = shrink(events) { run(setting, $0) != nil }
            let trace = few.map { "  \($0)" }.joined(separator: "\n")
            Issue.record("\(name), WEIR_TEST_SEED=\(number): \(run(setting, few) ?? problem)\n\(setting)\n\(trace)")
            return
        }
    }

    /// Leaves out events, many at once and then one by one, as long as it still fails.
    static func shrink<Event>(_ events: [Event], fails: ([Event]) -> Bool) -> [Event] {
        var best = events
        var size = max(1, best.count / 2)
        while true {
            var start = 0
            while start < best.count {
                var candidate = best
                candidate.removeSubrange(start..<min(candidate.count, start + size))
                if fails(candidate) { best = candidate } else { start += size }
            }
            if size == 1 { return best }
            size /= 2
        }
    }
}

extension SplitMix64 {
    mutating func number(_ range: ClosedRange<Int>) -> Int { range.lowerBound + below(range.count) }

    mutating func pick<Element>(_ elements: [Element]) -> Element { elements[below(elements.count)] }
}
