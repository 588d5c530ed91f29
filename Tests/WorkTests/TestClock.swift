import Events
import Synchronization

@testable import Work

/// A clock that stands until a test moves it.
final class TestClock: Sendable {
    private let passed = Mutex(Duration.zero)
    /// The wall time at which it began: the system's, since Postgres' own clock is beside it.
    let start = WorkClock.system.wall()

    var clock: WorkClock {
        WorkClock(
            monotonic: { MonotonicTime(sinceStart: .seconds(1_000) + self.passed.withLock { $0 }) },
            wall: { WallTime(microseconds: self.start.microseconds + self.passed.withLock { $0 }.milliseconds * 1_000) })
    }

    func advance(_ duration: Duration) { passed.withLock { $0 += duration } }
}
