internal import Broker
internal import Events
internal import Flow
internal import Ledger

/// The labels of one owned shard, from their stream to the log: read, follow sessions, verify, keep what stands, commit under the fence, tell Redis.
///
/// Runs beside the shard's `ShardPipeline` under the same lease, and ends as that one does. Holds nothing while no labeler is read (`LabelSources`). A crash at any point leaves log, offset, watermarks and
/// labels as one commit left them; everything after is read again.
struct LabelPipeline: Sendable {
    let lease: ShardLease
    let context: WorkContext

    /// - Throws: `ShardFailure`; returns after `stop`, or when the task is cancelled.
    func run(until stop: StopSignal, trusted trust: LeaseTrust) async throws(ShardFailure) {
        guard await context.labelSources.wait(until: stop) else { return }
        do {
            let run = try await owner(trusted: trust)
            let streams = context.streams.on(.labels)
            try await streams.withReader(of: lease.shard) { reader in try await follow(reader, run, streams, until: stop) }
        } catch let failure as ShardFailure {
            throw failure
        } catch is CancellationError {
            return
        } catch {
            if Task.isCancelled { return }
            throw ShardFailure(error)
        }
    }

    /// What a new owner starts with.
    func owner(trusted trust: LeaseTrust) async throws -> LabelRun {
        let state = try await context.ledger.shardState(lease, log: .labels)
        try await context.streams.on(.labels).prepare(lease.shard, committed: state.offset)
        var holds = HoldTable(limits: context.configuration.labelHoldLimits)
        for held in try await context.ledger.heldLabelQueues(shard: lease.shard) {
            for _ in 0..<held.count { holds.hold(held.queue.name, dueAt: held.dueAt) }
        }
        return LabelRun(lease: lease, state: state, holds: holds, context: context, trust: trust)
    }

    private func follow(_ reader: ShardReader, _ start: LabelRun, _ streams: WorkStreams, until stop: StopSignal) async throws {
        var run = start
        let batches = BatchReader(
            reader: reader, from: run.position, limits: context.configuration.readLimits, room: context.room, clock: context.clock)
        var batch = ReadBatch()
        var lastEntry = context.clock.monotonic()
        while !stop.isSet, !Task.isCancelled {
            // Read ahead by one batch. What is read and not taken when we stop is read again by the next owner.
            async let following = batches.next()
            if !batch.entries.isEmpty {
                lastEntry = context.clock.monotonic()
                try await run.take(batch.entries)
                // Gives its room back before the next batch, which may wait for some.
                batch = ReadBatch()
            }
            try await run.sweep()
            batch = try await following
            if batch.entries.isEmpty, context.clock.monotonic() - lastEntry > .seconds(5) {
                // Barriers come each second: silence may be a stream that was lost, or whose ids fell behind our position.
                lastEntry = context.clock.monotonic()
                try await streams.prepare(lease.shard, committed: await batches.position)
            }
        }
    }
}
