/// One relay: an endpoint of `com.atproto.sync.subscribeRepos` with a numbering, an order and a window of its own.
public struct RelayConfiguration: Sendable, Hashable {
    /// For logs and the status; letters, digits and `-`.
    public var name: String
    /// 0 takes a free port.
    public var port: Int
    /// The number of the first message, or nil: one that follows the seed, so that no two relays agree.
    public var firstSeq: Int64?
    /// The largest step between two numbers, 1 (no gaps) to 1,000.
    public var seqStepMax: Int
    /// The share of messages that trade places with messages of other DIDs, 0 to 1.
    public var interleaveShare: Double
    /// True: `cursor=N` brings N itself again. Servers differ.
    public var cursorIsInclusive: Bool
    /// False: a cursor that is too old or in the future is met in silence, as some relays do.
    public var announcesCursorFaults: Bool
    /// Bounds of what can be replayed.
    public var windowEntriesMax: Int
    public var windowBytesMax: Int
    /// How far behind a reader that had caught up may fall before it is closed with `ConsumerTooSlow`.
    public var readerLagBytesMax: Int
    /// A ping each so many seconds; a reader that answered none of two is closed.
    public var pingSeconds: Int

    public init(
        name: String, port: Int = 0, firstSeq: Int64? = nil, seqStepMax: Int = 5, interleaveShare: Double = 0.1, cursorIsInclusive: Bool = false,
        announcesCursorFaults: Bool = true, windowEntriesMax: Int = 100_000, windowBytesMax: Int = 128 << 20, readerLagBytesMax: Int = 32 << 20,
        pingSeconds: Int = 30
    ) {
        self.name = name
        self.port = port
        self.firstSeq = firstSeq
        self.seqStepMax = seqStepMax
        self.interleaveShare = interleaveShare
        self.cursorIsInclusive = cursorIsInclusive
        self.announcesCursorFaults = announcesCursorFaults
        self.windowEntriesMax = windowEntriesMax
        self.windowBytesMax = windowBytesMax
        self.readerLagBytesMax = readerLagBytesMax
        self.pingSeconds = pingSeconds
    }

    func validate() throws(SimulatorError) {
        try SimulatorConfiguration.check(port, "relays.port", 0...65_535)
        try SimulatorConfiguration.check(firstSeq ?? 1, "relays.firstSeq", 1...(1 << 52))
        try SimulatorConfiguration.check(seqStepMax, "relays.seqStepMax", 1...1_000)
        try SimulatorConfiguration.check(interleaveShare, "relays.interleaveShare", 0...1)
        try SimulatorConfiguration.check(windowEntriesMax, "relays.windowEntriesMax", 1...10_000_000)
        try SimulatorConfiguration.check(windowBytesMax, "relays.windowBytesMax", 1...(1 << 40))
        try SimulatorConfiguration.check(readerLagBytesMax, "relays.readerLagBytesMax", 1...(1 << 40))
        try SimulatorConfiguration.check(pingSeconds, "relays.pingSeconds", 1...3_600)
    }
}
