internal import Events
internal import Ledger
internal import Logging

/// Whether any labeler was ever read, for all shards of a process: until then none of them holds a connection that waits for labels.
///
/// An ingester writes its labeler into the ledger before it reads it. The ledger is asked at most once a second, and never again once there is one: a
/// fleet that gets its first labeler logs labels about a second later than others.
actor LabelSources {
    private static let interval = Duration.seconds(1)

    private let ledger: Ledger
    private let clock: WorkClock
    private let logger: Logger
    private var areThere = false
    private var nextLook: MonotonicTime?

    init(ledger: Ledger, clock: WorkClock, logger: Logger) {
        self.ledger = ledger
        self.clock = clock
        self.logger = logger
    }

    /// False where `stop` was set, or the task cancelled, before there was one.
    func wait(until stop: StopSignal) async -> Bool {
        let pause = Bell()
        while await !look() {
            if stop.isSet || Task.isCancelled { return false }
            await pause.wait(atMost: Self.interval / 2)
        }
        return true
    }

    private func look() async -> Bool {
        let now = clock.monotonic()
        if areThere { return true }
        if let nextLook, now < nextLook { return false }
        nextLook = now + Self.interval
        do {
            if try await ledger.hasUpstream(.labeler) { areThere = true }
        } catch {
            logger.debug("labelers can't be looked for", metadata: ["error": "\(error)"])
        }
        return areThere
    }
}
