/// A set of sequences, kept as the ranges that they fill: its size is that of its holes.
public struct SequenceSet: Hashable, Sendable {
    /// In order, with at least one missing sequence between two of them.
    public private(set) var ranges: [ClosedRange<Int64>] = []

    public init() {}

    public func contains(_ sequence: Int64) -> Bool {
        let at = firstIndex(endingAtOrAfter: sequence)
        return at < ranges.count && ranges[at].contains(sequence)
    }

    /// Whether it was not there.
    @discardableResult
    public mutating func insert(_ sequence: Int64) -> Bool {
        guard !contains(sequence) else { return false }
        insert(sequence...sequence)
        return true
    }

    public mutating func insert(_ range: ClosedRange<Int64>) {
        // Ranges that it touches, also those that end right before it or begin right behind it.
        let before = range.lowerBound == .min ? .min : range.lowerBound - 1
        let behind = range.upperBound == .max ? .max : range.upperBound + 1
        let first = firstIndex(endingAtOrAfter: before)
        var end = first
        var joined = range
        while end < ranges.count, ranges[end].lowerBound <= behind {
            joined = min(joined.lowerBound, ranges[end].lowerBound)...max(joined.upperBound, ranges[end].upperBound)
            end += 1
        }
        ranges.replaceSubrange(first..<end, with: CollectionOfOne(joined))
    }

    /// The last sequence of the unbroken stretch that begins at `first`; nil where `first` is missing.
    public func end(ofStretchAt first: Int64) -> Int64? {
        let at = firstIndex(endingAtOrAfter: first)
        guard at < ranges.count, ranges[at].contains(first) else { return nil }
        return ranges[at].upperBound
    }

    /// The least sequence above `sequence` that is there.
    public func first(above sequence: Int64) -> Int64? {
        guard sequence < .max else { return nil }
        let at = firstIndex(endingAtOrAfter: sequence + 1)
        return at < ranges.count ? max(ranges[at].lowerBound, sequence + 1) : nil
    }

    /// Forgets everything at or below a sequence.
    public mutating func removeThrough(_ sequence: Int64) {
        while let first = ranges.first, first.lowerBound <= sequence {
            ranges.removeFirst()
            if first.upperBound > sequence {
                ranges.insert(sequence + 1...first.upperBound, at: 0)
                return
            }
        }
    }

    /// Forgets the last range.
    mutating func removeLast() { if !ranges.isEmpty { ranges.removeLast() } }

    private func firstIndex(endingAtOrAfter sequence: Int64) -> Int {
        var (low, high) = (0, ranges.count)
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound < sequence { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
