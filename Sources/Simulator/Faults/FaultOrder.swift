/// A fault that is asked for: at once, so many times, or again and again at places that the seed decides.
public struct FaultOrder: Hashable, Sendable {
    public var kind: FaultKind
    /// The relay by its place in the configuration, from 0; nil is each of them. Without meaning outside relays.
    public var relay: Int?
    /// How many times, as soon as there is an occasion. 0 with `everyEvents` 0 ends a schedule of this kind and relay.
    public var count: Int
    /// On average once in so many events, until ended; 0 is not scheduled.
    public var everyEvents: Int
    /// How long a state lasts; for `delay`, `directoryDelay`, `hostDelay` how late things come. A server's state with 0 seconds and a count
    /// meets the next `count` requests.
    public var seconds: Double
    /// What a 429 says, in seconds.
    public var retryAfterSeconds: Int

    public init(kind: FaultKind, relay: Int? = nil, count: Int = 1, everyEvents: Int = 0, seconds: Double = 1, retryAfterSeconds: Int = 1) {
        self.kind = kind
        self.relay = relay
        self.count = count
        self.everyEvents = everyEvents
        self.seconds = seconds
        self.retryAfterSeconds = retryAfterSeconds
    }

    func validate(relays: Int) throws(SimulatorError) {
        if let relay { try SimulatorConfiguration.check(relay, "faults.relay", 0...(relays - 1)) }
        try SimulatorConfiguration.check(count, "faults.count", 0...1_000_000)
        try SimulatorConfiguration.check(everyEvents, "faults.every", 0...1_000_000_000)
        try SimulatorConfiguration.check(seconds, "faults.seconds", 0...86_400)
        try SimulatorConfiguration.check(retryAfterSeconds, "faults.retry_after", 0...86_400)
        if kind == .dropCommit, relays < 2 {
            throw SimulatorError(code: .invalidValue, message: "needs a second relay that has the commit", entity: "simulator.faults.drop_commit")
        }
    }
}
