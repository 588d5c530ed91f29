internal import Broker
internal import Events
internal import Logging

/// Holds writers of snapshots back while the backfill streams are full, or Redis is. It drops nothing: it lets wait.
actor SnapshotGate {
    private let streams: SnapshotStreams
    private let high: Int
    /// Of `maxmemory`.
    private let memoryHigh: Double
    private let logger: Logger
    private var isOpen = true
    private var waiters: [CheckedContinuation<Void, Never>] = []

    init(streams: SnapshotStreams, high: Int, memoryHigh: Double, logger: Logger) {
        self.streams = streams
        self.high = max(1, high)
        self.memoryHigh = memoryHigh
        self.logger = logger
    }

    /// Measures until the task is cancelled; then nobody waits any longer.
    func run() async {
        while !Task.isCancelled {
            await measure()
            try? await Task.sleep(for: .milliseconds(100))
        }
        open()
    }

    /// Returns when there is room.
    func pass() async {
        if isOpen { return }
        await withCheckedContinuation { waiters.append($0) }
    }

    private func measure() async {
        do {
            let levels = try await streams.levels()
            let entries = levels.entries.reduce(0, +)
            let memory = levels.memory.share ?? 0
            if entries >= high || memory >= memoryHigh {
                if isOpen {
                    logger.info(
                        "fetchers wait: the backfill streams or Redis are full",
                        metadata: ["entries": "\(entries)", "memory_percent": "\(Int(memory * 100))"])
                }
                isOpen = false
            } else if entries <= high / 4 * 3, memory <= memoryHigh - 0.05 {
                open()
            }
        } catch {
            // The last decision stands: what cannot be measured cannot be written either.
            logger.debug("the backfill streams can't be measured", metadata: ["error": "\(error)"])
        }
    }

    private func open() {
        isOpen = true
        for waiter in waiters { waiter.resume() }
        waiters = []
    }
}
