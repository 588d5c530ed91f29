/// A fault that is asked for: at once, so many times, or again and again at places that the seed decides.
public struct FaultOrder: Hashable, Sendable {
    public var kind: FaultKind
    /// The relay by its place in the configuration, from 0; nil is each of them. Without meaning outside relays.
    public var relay: Int?
    /// The repository host by its place, from 0; nil is all of them, and what relays answer in their place. For migrations where they go.
    public var host: Int?
    /// The labeler by its place, from 0: what could be about relays is about this labeler. Nil is each of them for what only labelers do.
    public var labeler: Int?
    /// The account that it is about; nil is any, and where something becomes of an account one that is drawn. Without meaning elsewhere.
    public var did: String?
    /// How many times, as soon as there is an occasion. 0 with `everyEvents` 0 ends a schedule of this kind and relay, or a server's state.
    public var count: Int
    /// On average once in so many events, until ended; 0 is not scheduled.
    public var everyEvents: Int
    /// How long a state lasts; for `delay`, `directoryDelay`, `hostDelay`, `hostSlow` how late things come. A server's state with 0 seconds and
    /// a count meets the next `count` requests; what becomes of archives always does.
    public var seconds: Double
    /// What a 429 says, in seconds.
    public var retryAfterSeconds: Int
    /// Of an archive, before a silence or a cut: 0 is in the middle of its first 64 KB, and a shorter archive than this has it in its last part.
    /// For `hostSlow` how many come at a time.
    public var bytes: Int
    /// How many commits back, 1 to 16; fewer where the repository has not so many behind it.
    public var depth: Int

    public init(
        kind: FaultKind, relay: Int? = nil, host: Int? = nil, labeler: Int? = nil, did: String? = nil, count: Int = 1, everyEvents: Int = 0,
        seconds: Double = 1, retryAfterSeconds: Int = 1, bytes: Int = 0, depth: Int = 3
    ) {
        self.kind = kind
        self.relay = relay
        self.host = host
        self.labeler = labeler
        self.did = did
        self.count = count
        self.everyEvents = everyEvents
        self.seconds = seconds
        self.retryAfterSeconds = retryAfterSeconds
        self.bytes = bytes
        self.depth = depth
    }

    /// Whether labelers carry it out.
    var isForLabelers: Bool { labeler != nil || kind.place == .labels }

    func validate(relays: Int, hosts: Int = 1, labelers: Int = 0) throws(SimulatorError) {
        if let relay { try SimulatorConfiguration.check(relay, "faults.relay", 0...(relays - 1)) }
        if let host { try SimulatorConfiguration.check(host, "faults.host", 0...(hosts - 1)) }
        if isForLabelers {
            guard [.labels, .connection, .relay].contains(kind.place), (0..<labelers).contains(labeler ?? 0) else {
                throw SimulatorError(code: .invalidValue, message: "no labeler that could do it", entity: "simulator.faults.labeler")
            }
        }
        try SimulatorConfiguration.check(count, "faults.count", 0...1_000_000)
        try SimulatorConfiguration.check(everyEvents, "faults.every", 0...1_000_000_000)
        try SimulatorConfiguration.check(seconds, "faults.seconds", 0...86_400)
        try SimulatorConfiguration.check(retryAfterSeconds, "faults.retry_after", 0...86_400)
        try SimulatorConfiguration.check(bytes, "faults.bytes", 0...(1 << 40))
        try SimulatorConfiguration.check(depth, "faults.depth", 1...SimulatedRepository.historyMax)
        if kind == .dropCommit, relays < 2 {
            throw SimulatorError(code: .invalidValue, message: "needs a second relay that has the commit", entity: "simulator.faults.drop_commit")
        }
    }
}
