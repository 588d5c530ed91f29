/// The network's own time: grows with each tick by what the seed says, about 50 µs, so revs follow from the seed alone and never run ahead
/// of the wall clock at the rates that this machine reaches.
struct NetworkClock: Sendable {
    private(set) var microseconds: Int64
    private var random: RandomStream

    init(startMicroseconds: Int64, seed: UInt64) {
        microseconds = startMicroseconds
        random = RandomStream(seed: seed, "clock")
    }

    /// The next instant, later than each before it.
    mutating func tick() -> Int64 {
        microseconds += 1 + Int64(random.below(99))
        return microseconds
    }
}
