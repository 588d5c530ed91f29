internal import Broker
internal import Events
internal import Flow

/// Entries that were read together, with the room that was borrowed for them.
struct ReadBatch: Sendable {
    var entries: [ReadEntry] = []
    /// When the first of them was there.
    fileprivate(set) var readAt: MonotonicTime?
    /// Nil where they fit into the shard's own share.
    fileprivate(set) var loan: BatchRoom.Loan?
}

extension WorkerConfiguration {
    /// How a shard's stream is read.
    var readLimits: BatchReader.Limits {
        BatchReader.Limits(
            batch: .init(entries: batchEntries, bytes: batchBytes, linger: linger), share: shardBytes, patience: roomPatience, reply: replyBytes)
    }
}

/// Reads one shard's stream in batches, bounded in entries and bytes, a batch ahead of what is being committed.
///
/// A shard that keeps up reads within its own share. One whose last read brought all that it asked for is behind: it borrows room for a large batch,
/// and where there is none in time goes on with its share.
actor BatchReader {
    struct Limits: Sendable {
        var batch: BatchBuilder.Limits
        /// Bytes of entries that a batch may have without borrowing.
        var share: Int
        /// How long a shard that is behind waits for room.
        var patience: Duration
        /// About how large one reply may be: a batch is put together from several.
        var reply: Int
        /// How long to wait where nothing is there.
        var idleWait: Duration = .milliseconds(500)
    }

    private let reader: ShardReader
    private let clock: WorkClock
    private let limits: Limits
    private let room: BatchRoom
    private var builder: BatchBuilder
    private var count: AdaptiveCount
    private var isBehind = false
    private(set) var position: EntryID

    init(reader: ShardReader, from position: EntryID, limits: Limits, room: BatchRoom, clock: WorkClock) {
        self.reader = reader
        self.position = position
        self.clock = clock
        self.limits = limits
        self.room = room
        builder = BatchBuilder(limits: limits.batch)
        count = AdaptiveCount(targetBytes: limits.batch.bytes, maxCount: limits.batch.entries)
    }

    /// The next batch; empty where nothing came within the idle wait.
    func next() async throws(BrokerError) -> ReadBatch {
        var batch = ReadBatch()
        defer { builder.closed() }
        if isBehind { batch.loan = await room.loan(count.expectedBytes, patience: limits.patience) }
        let bytesMax = min(batch.loan?.bytes ?? limits.share, limits.batch.bytes)
        while true {
            let wait: Duration
            switch builder.step(at: clock.monotonic()) {
            // More is there: what need not be waited for is read however long it takes.
            case .close where isBehind && !builder.isFull: wait = .milliseconds(1)
            case .close: return closed(batch)
            case .idle: wait = limits.idleWait
            case .more(let within): wait = max(within, .milliseconds(1))
            }
            let asked = max(1, min(count.count(within: min(bytesMax - builder.bytes, limits.reply)), limits.batch.entries - batch.entries.count))
            let read = try await reader.read(after: position, count: asked, block: wait)
            guard let last = read.last else {
                isBehind = false
                return closed(batch)
            }
            let bytes = read.reduce(0) { $0 + $1.size }
            count.read(entries: read.count, bytes: bytes)
            builder.read(entries: read.count, bytes: bytes, at: clock.monotonic())
            position = last.id
            batch.readAt = batch.readAt ?? clock.monotonic()
            batch.entries += read
            isBehind = read.count >= asked
            // The last eighth would be read entry by entry.
            if builder.bytes > bytesMax - bytesMax / 8 { return closed(batch) }
        }
    }

    private func closed(_ batch: ReadBatch) -> ReadBatch {
        batch.loan?.shrink(to: builder.bytes)
        return batch
    }
}
