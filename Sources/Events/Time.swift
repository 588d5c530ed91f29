/// A point on one process's monotonic clock, as a duration since an arbitrary start.
///
/// Decisions (`Flow`) take it as a value and never read a clock. Two values compare only within one process.
public struct MonotonicTime: Hashable, Comparable, Sendable {
    public var sinceStart: Duration

    public init(sinceStart: Duration) { self.sinceStart = sinceStart }

    public static let zero = MonotonicTime(sinceStart: .zero)

    public static func < (a: Self, b: Self) -> Bool { a.sinceStart < b.sinceStart }
    public static func + (a: Self, b: Duration) -> Self { Self(sinceStart: a.sinceStart + b) }
    public static func - (a: Self, b: Self) -> Duration { a.sinceStart - b.sinceStart }
}

/// A point in wall-clock time: microseconds since 1970-01-01T00:00:00Z. Negative before it.
///
/// Microseconds are what Postgres' `timestamptz` keeps, so a round trip through the ledger loses nothing.
public struct WallTime: Hashable, Comparable, Sendable {
    public var microseconds: Int64

    public init(microseconds: Int64) { self.microseconds = microseconds }

    public static func < (a: Self, b: Self) -> Bool { a.microseconds < b.microseconds }
}

extension Duration {
    /// Whole milliseconds, rounded down; saturates at the bounds of `Int64`.
    public var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        if overflow { return seconds < 0 ? .min : .max }
        return scaled + attoseconds / 1_000_000_000_000_000
    }
}
