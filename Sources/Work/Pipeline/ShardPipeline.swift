internal import Broker
internal import Events
internal import Flow
internal import Ledger
internal import Logging

/// One owned shard, from its stream to the log: read, follow sessions, verify, reorder, deduplicate, commit under the fence, tell Redis.
///
/// Runs until it is asked to stop (between batches), the lease is lost, or something fails; whoever runs it decides about another try. Owns no lease:
/// `WorkerService` does. A crash at any point leaves the log, the offset and the watermarks as one commit left them; everything after is read again.
struct ShardPipeline: Sendable {
    let lease: ShardLease
    let context: WorkContext

    init(lease: ShardLease, context: WorkContext) {
        self.lease = lease
        self.context = context
    }

    /// - Throws: `ShardFailure`; returns after `stop`, or when the task is cancelled.
    func run(until stop: StopSignal, trusted trust: LeaseTrust) async throws(ShardFailure) {
        do {
            let state = try await context.ledger.shardState(lease)
            try await context.streams.prepare(lease.shard, committed: state.offset)
            var run = ShardRun(lease: lease, state: state, holds: try await heldTable(), context: context, trust: trust)
            if let snapshots = context.snapshots {
                run.backfillPosition = try await context.ledger.backfillOffset(lease)
                try await snapshots.prepare(lease.shard, committed: run.backfillPosition)
            }
            let start = run
            try await context.streams.withReader(of: lease.shard) { reader in
                try await follow(reader, start, until: stop)
            }
        } catch let failure as ShardFailure {
            throw failure
        } catch is CancellationError {
            return
        } catch {
            if Task.isCancelled { return }
            throw ShardFailure(error)
        }
    }

    private func follow(_ reader: ShardReader, _ start: ShardRun, until stop: StopSignal) async throws {
        var run = start
        let batches = BatchReader(
            reader: reader, from: run.position, limits: context.configuration.readLimits, room: context.room, clock: context.clock)
        var batch = ReadBatch()
        var lastEntry = context.clock.monotonic()
        let bell = Bell()
        var snapshots = SnapshotTurn(turns: context.turns)
        context.turns.join(lease.shard, bell)
        defer { context.turns.leave(lease.shard) }
        while !stop.isSet, !Task.isCancelled {
            // Read ahead by one batch. What is read and not taken when we stop is read again by the next owner.
            let arrived = StopSignal()
            async let following = Self.next(batches, arrived, bell)
            if !batch.entries.isEmpty {
                lastEntry = context.clock.monotonic()
                try await run.take(batch)
                // Gives its room back before the next batch, which may wait for some.
                batch = ReadBatch()
            }
            try await run.sweep()
            if context.snapshots != nil {
                try await snapshots.take(&run, until: { arrived.isSet || stop.isSet }, bell, now: context.clock.monotonic)
            }
            batch = try await following
            if batch.entries.isEmpty, context.clock.monotonic() - lastEntry > .seconds(5) {
                // Barriers come each second: silence may be a stream that was lost, or whose ids fell behind our position.
                lastEntry = context.clock.monotonic()
                try await context.streams.prepare(lease.shard, committed: await batches.position)
            }
        }
    }

    private static func next(_ batches: BatchReader, _ arrived: StopSignal, _ bell: Bell) async throws(BrokerError) -> ReadBatch {
        defer {
            arrived.set()
            bell.ring()
        }
        return try await batches.next()
    }

    func heldTable() async throws -> HoldTable {
        var table = HoldTable(limits: context.configuration.holdLimits)
        for held in try await context.ledger.heldIndex(shard: lease.shard) {
            for _ in 0..<held.count { table.hold(held.did, dueAt: held.dueAt) }
            // What woke it may have been the last thing that the owner before did.
            if context.snapshots != nil { table.wake(held.did) }
        }
        return table
    }
}
