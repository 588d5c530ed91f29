public import Events

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The process's clocks, read at the shell only: decisions take the values. They stand in the lowest module that every stage imports and that
/// may look at a clock.
extension MonotonicTime {
    private static let start = ContinuousClock.now

    /// Since the first call in this process.
    public static var current: MonotonicTime { MonotonicTime(sinceStart: start.duration(to: .now)) }
}

extension WallTime {
    public static var current: WallTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return WallTime(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
    }
}
