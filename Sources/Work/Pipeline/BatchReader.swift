internal import Broker
internal import Events
internal import Flow

/// Reads one shard's stream in batches, bounded in entries and bytes, a batch ahead of what is being committed.
actor BatchReader {
    private let reader: ShardReader
    private let clock: WorkClock
    private var builder: BatchBuilder
    private var count: AdaptiveCount
    private(set) var position: EntryID
    private let idleWait: Duration

    init(reader: ShardReader, from position: EntryID, limits: BatchBuilder.Limits, idleWait: Duration = .milliseconds(500), clock: WorkClock) {
        self.reader = reader
        self.position = position
        self.clock = clock
        self.idleWait = idleWait
        builder = BatchBuilder(limits: limits)
        count = AdaptiveCount(targetBytes: limits.bytes, maxCount: limits.entries)
    }

    /// The next batch; empty where nothing came within the idle wait.
    func next() async throws(BrokerError) -> [ReadEntry] {
        var entries: [ReadEntry] = []
        defer { builder.closed() }
        while true {
            let wait: Duration
            switch builder.step(at: clock.monotonic()) {
            case .close: return entries
            case .idle: wait = idleWait
            case .more(let within): wait = max(within, .milliseconds(1))
            }
            let room = max(1, min(count.count, builder.limits.entries - entries.count))
            let read = try await reader.read(after: position, count: room, block: wait)
            guard let last = read.last else { return entries }
            let bytes = read.reduce(0) { $0 + $1.size }
            count.read(entries: read.count, bytes: bytes)
            builder.read(entries: read.count, bytes: bytes, at: clock.monotonic())
            position = last.id
            entries += read
        }
    }
}
