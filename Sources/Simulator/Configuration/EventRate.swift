/// How fast the network makes changes.
public struct EventRate: Sendable, Hashable {
    /// Events each second, 0 (paused) to infinity (as fast as they can be made).
    public var eventsPerSecond: Double
    /// Further events at once: so many, each so many seconds. None where either is 0.
    public var burstEvents: Int
    public var burstEverySeconds: Double
    /// Stops after so many events from the moment this rate is set; nil does not.
    public var eventsMax: Int?
    /// True: waits while a connected reader is more than half of its relay's bound behind, so that nobody is cut off at full speed.
    public var followsReaders: Bool

    public init(
        eventsPerSecond: Double = 50, burstEvents: Int = 0, burstEverySeconds: Double = 0, eventsMax: Int? = nil, followsReaders: Bool = false
    ) {
        self.eventsPerSecond = eventsPerSecond
        self.burstEvents = burstEvents
        self.burstEverySeconds = burstEverySeconds
        self.eventsMax = eventsMax
        self.followsReaders = followsReaders
    }

    public static let paused = EventRate(eventsPerSecond: 0)
    public static let unlimited = EventRate(eventsPerSecond: .infinity)

    func validate() throws(SimulatorError) {
        try SimulatorConfiguration.check(eventsPerSecond, "rate.eventsPerSecond", 0...Double.infinity)
        try SimulatorConfiguration.check(burstEvents, "rate.burstEvents", 0...1_000_000)
        try SimulatorConfiguration.check(burstEverySeconds, "rate.burstEverySeconds", 0...86_400)
        try SimulatorConfiguration.check(eventsMax ?? 0, "rate.eventsMax", 0...Int.max)
    }
}
