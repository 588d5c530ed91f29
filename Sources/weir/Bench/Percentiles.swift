/// Samples of one measurement, in milliseconds.
struct Percentiles: Sendable {
    private let sorted: [Double]

    init(_ milliseconds: [Double]) { sorted = milliseconds.sorted() }

    var count: Int { sorted.count }
    var max: Double { sorted.last ?? .nan }

    /// - Parameter share: 0 to 1. The nearest sample at or above it; not a number where there is none.
    func at(_ share: Double) -> Double {
        guard !sorted.isEmpty else { return .nan }
        return sorted[Swift.min(sorted.count - 1, Int((Double(sorted.count) * share).rounded(.up)) - 1 + (share == 0 ? 1 : 0))]
    }
}
