/// What share of its usual entries each outlet keeps while Redis fills: outlets give way before anything has to wait for memory, since what they lack is
/// read from Postgres. No I/O.
public struct OutletPressure: Hashable, Sendable {
    /// Shares of `maxmemory`: at the first outlets shrink with each look, below the second they grow again.
    public static let (high, low) = (0.70, 0.55)
    private static let least = 0.005

    /// 1 where memory is no matter.
    public private(set) var factor = 1.0

    public init() {}

    /// - Parameter share: of `maxmemory` in use; nil without one.
    public mutating func observed(_ share: Double?) {
        guard let share else { return factor = 1 }
        if share >= Self.high { factor = max(Self.least, factor * 0.6) }
        if share < Self.low { factor = min(1, factor * 1.2) }
    }

    /// At least one.
    public func keep(_ entries: Int) -> Int { max(1, Int(Double(entries) * factor)) }
}
