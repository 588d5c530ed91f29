import FoundationEssentials

/// The wall clock, in microseconds since 1970.
enum WallClock {
    static var microseconds: Int64 { Int64(Date().timeIntervalSince1970 * 1_000_000) }
}
