import Broker
import Events

/// The process's monotonic and wall clocks, as the values that decisions take.
enum ProcessClock {
    static var now: MonotonicTime { .current }
    static var wall: WallTime { .current }
}
