#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// The wall clock, without Foundation.
enum SystemTime {
    static func microsecondsSince1970() -> Int64 {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return Int64(now.tv_sec) * 1_000_000 + Int64(now.tv_nsec) / 1000
    }
}
