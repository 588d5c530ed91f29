/// One line of the table of `weir bench`: a figure, the ceiling that was measured beside it in the same run, and the bar it has to reach.
struct BenchRow: Codable, Sendable {
    /// What the row has to reach.
    enum Bar: Codable, Sendable, Hashable {
        /// Figure divided by ceiling.
        case ratio(atLeast: Double)
        case atLeast(Double)
        case atMost(Double)
    }

    /// What was measured, in a few words: the first column.
    var name: String
    var figure: Double
    /// Of the figure and of the ceiling: `frames/s`, `ms`, `MB`.
    var unit: String
    /// What this machine gives at most to the thing that the figure is made of, measured right before or after it; nil where there is none.
    var ceiling: Double?
    /// How the ceiling was measured: `redis-benchmark XADD -P 32`.
    var ceilingName: String?
    var bar: Bar
    /// Sizes and counts that a reader needs to repeat it: `5.4 KB frames, 200,000 of them`.
    var note: String = ""

    /// Figure divided by ceiling.
    var ratio: Double? { ceiling.flatMap { $0 > 0 ? figure / $0 : nil } }

    var isReached: Bool {
        switch bar {
        case .ratio(let least): (ratio ?? 0) >= least
        case .atLeast(let least): figure >= least
        case .atMost(let most): figure <= most
        }
    }
}
