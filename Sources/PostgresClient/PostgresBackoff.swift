/// How long to wait before the next attempt to connect: doubled with each failure, capped, and shortened at random by up to half.
struct PostgresBackoff: Sendable {
    var firstDelay: Duration = .milliseconds(50)
    var delayMax: Duration = .seconds(5)

    /// `failures`: in a row, from 1. `draw`: random, 0 ..< 1.
    func delay(failures: Int, draw: Double) -> Duration {
        var delay = firstDelay
        for _ in 1..<max(1, failures) where delay < delayMax { delay *= 2 }
        return min(delay, delayMax) * (1 - draw / 2)
    }
}
