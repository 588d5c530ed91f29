import Events

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The process's monotonic and wall clocks, as the values that decisions take.
enum ProcessClock {
    private static let start = ContinuousClock.now

    static var now: MonotonicTime { MonotonicTime(sinceStart: start.duration(to: .now)) }

    static var wall: WallTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return WallTime(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000)
    }
}
