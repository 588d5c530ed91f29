import Broker
import Events
import Flow
import Logging
import NIOCore

/// One share of a session's shards: numbers their entries, and appends them as one pipeline after the other.
///
/// One pipeline at a time, since two over different connections of the broker may overtake one another, and a shard's entries must stand in order of
/// `n`. Several lanes give several pipelines under way, each over shards of its own (`shard % lanes`).
///
/// Holds what is not acknowledged: its share of ``FeedIngesterConfiguration/unacknowledged``, and what the reader handed over at once.
actor AppendLane {
    private let index: Int
    private let laneCount: Int
    private let streams: any EntryStreams
    private let ownership: UpstreamOwnership
    private let configuration: FeedIngesterConfiguration
    private let seams: FaultSeams
    private let logger: Logger
    private let work = Doorbell()
    private let room = Doorbell()
    private var writer: SessionWriter
    /// By the writer's shards.
    private var frames: [HeldFrames]
    private var retry = RetryPolicy(limits: RetryPolicy.Limits(base: .milliseconds(50), cap: .seconds(1), healthyAfter: .seconds(1)))
    private var isFinishing = false
    private var isFailing = false

    init(
        index: Int, laneCount: Int, session: Int64, opening: SessionOpening, host: String, streams: any EntryStreams, ownership: UpstreamOwnership,
        configuration: FeedIngesterConfiguration, seams: FaultSeams, logger: Logger
    ) {
        self.index = index
        self.laneCount = laneCount
        self.streams = streams
        self.ownership = ownership
        self.configuration = configuration
        self.seams = seams
        self.logger = logger
        let total = configuration.unacknowledged
        let limits = SessionWriter.Limits(entries: max(1, total.entries / laneCount), bytes: max(1, total.bytes / laneCount))
        let count = (streams.shards.count - index + laneCount - 1) / laneCount
        writer = SessionWriter(host: host, session: session, from: opening.from, gap: opening.gap, shards: count, limits: limits)
        frames = Array(repeating: HeldFrames(), count: count)
    }

    /// Takes entries of this lane's shards, and notes that everything of the upstream up to `through` was handed to some lane.
    func take(_ entries: [RoutedEntry], through: Position) {
        for routed in entries {
            let shard = routed.shard / laneCount
            guard let n = writer.take(routed.entry, shard: shard, heldBytes: routed.frame.readableBytes) else { continue }
            if routed.frame.readableBytes > 0 { frames[shard].append(routed.frame, n: n) }
        }
        writer.passed(through)
        if !entries.isEmpty { work.ring() }
    }

    func barrier() {
        writer.barrier()
        work.ring()
    }

    /// Leaves out messages of halted shards from now on, to the end of the session.
    func shed(_ shards: Set<Shard>) {
        writer.shed(shards.filter { $0 % laneCount == index }.map { $0 / laneCount })
    }

    var acknowledgedBarrier: Position? { writer.acknowledgedBarrier }

    /// Returns when there is room for more, or when cancelled.
    func waitForRoom() async {
        while writer.mustPause, !Task.isCancelled { await room.wait() }
    }

    /// Nothing follows: ``run()`` returns once all is acknowledged.
    func finish() {
        writer.barrier()
        isFinishing = true
        work.ring()
    }

    /// Appends until ``finish()``; throws when the lease is not trusted any more, or the task is cancelled.
    func run() async throws {
        while true {
            try Task.checkCancellation()
            guard ownership.isTrusted else { throw ConnectionEnd(.leaseLost) }
            guard let append = writer.next(maxEntries: configuration.batchEntriesMax, maxBytes: configuration.batchBytesMax) else {
                if isFinishing, writer.unacknowledgedEntries == 0 { return }
                await work.wait()
                continue
            }
            seams.reached(.ingestAfterReadBeforeAppend)
            let results = await streams.append(items(append), lane: index)
            seams.reached(.ingestAfterAppend)
            try await settle(append, results)
        }
    }

    private func items(_ append: SessionWriter.Append) -> [AppendItem] {
        append.entries.map { shard, entry in AppendItem(shard: shard * laneCount + index, entry: entry, frame: frames[shard][entry.n]) }
    }

    private func settle(_ append: SessionWriter.Append, _ results: [AppendResult]) async throws {
        var failure: BrokerError?
        let taken = results.map { result in
            switch result {
            case .written:
                return true
            case .refused(let error), .unknown(let error):
                failure = failure ?? error
                return false
            }
        }
        let isWhole = writer.settle(append, .each(taken))
        for shard in frames.indices where !frames[shard].isEmpty { frames[shard].release(before: writer.firstUnacknowledged(shard)) }
        if !writer.mustPause { room.ring() }
        let now = ProcessClock.now
        if isWhole {
            if isFailing { logger.notice("appends succeed again", metadata: ["lane": "\(index)"]) }
            isFailing = false
            retry.succeeded(at: now)
            return
        }
        if !isFailing {
            logger.warning(
                "Redis does not take what was read; kept and retried", metadata: ["lane": "\(index)", "error": "\(failure.map(\.description) ?? "")"])
        }
        isFailing = true
        for shard in frames.indices { frames[shard].compact() }
        var generator = SystemRandomNumberGenerator()
        try await Task.sleep(for: retry.failed(at: now, using: &generator))
    }
}
