public import Events
import Flow
public import Ledger

/// Delivers a stretch of a run to a sink again, in order, and tells of it in a run of its own.
///
/// A checkpoint is written each thousand seqs, after the sink has what is before it; a crash leaves the last one, and the next attempt goes on behind it,
/// so that the sink gets some events twice and none not at all. It ends in front of a seq that the log lacks: what is behind may be asked for
/// by itself.
public struct ReplayRun: Sendable {
    private let ledger: Ledger
    private let sink: any ReplaySink
    private let filter: EventFilter
    /// Events that one read of the log brings at most.
    private let batch: Int

    public init(ledger: Ledger, sink: any ReplaySink, filter: EventFilter = .all, batch: Int = 500) {
        self.ledger = ledger
        self.sink = sink
        self.filter = filter
        self.batch = max(1, batch)
    }

    /// Until the range's end, or the first gap; cancellation writes a checkpoint and leaves the replay to be gone on with.
    ///
    /// - Parameter progress: told each checkpoint.
    /// - Throws: what the sink or the ledger threw: the replay's run goes on, and it can be taken up. `fenced`: another process has it.
    public func run(_ replay: ReplayRecord, progress: @Sendable (ReplayProgress) -> Void = { _ in }) async throws -> ReplayProgress {
        var state = ReplayProgress(replay: replay)
        var checkpoints = Checkpoints<RunID>()
        checkpoints.begin(replay.source, at: replay.checkpoint)
        var cursor = replay.checkpoint
        do {
            while cursor < replay.range.upperBound, state.gap == nil {
                try Task.checkCancellation()
                let events = try await ledger.events(run: replay.source, after: cursor, limit: batch, maxBytes: 4 << 20)
                    .filter { $0.seq <= replay.range.upperBound }
                let following = Self.prefix(of: events, after: cursor)
                try await deliver(following, &state)
                if let last = following.last?.seq {
                    if let due = checkpoints.done(replay.source, cursor + 1...last) { try await checkpoint(due, &state, progress) }
                    cursor = last
                } else {
                    let next = events.first?.seq ?? replay.range.upperBound + 1
                    state.gap = cursor + 1...next - 1
                }
            }
            if let due = checkpoints.end(replay.source) { state.replay.checkpoint = due }
            try await sink.settle()
            try await ledger.checkpoint(state.replay, progress: state.body, ending: state.gap == nil ? .finished : .failed)
            progress(state)
            return state
        } catch is CancellationError {
            try await leave(&state, checkpoints)
            throw CancellationError()
        }
    }

    /// Those that follow the cursor without a hole.
    private static func prefix(of events: [LogEvent], after cursor: Int64) -> ArraySlice<LogEvent> {
        var count = 0
        while count < events.count, events[count].seq == cursor + Int64(count) + 1 { count += 1 }
        return events[..<count]
    }

    private func deliver(_ events: ArraySlice<LogEvent>, _ state: inout ReplayProgress) async throws {
        let wanted = events.filter(filter.matches)
        guard !wanted.isEmpty else { return }
        try await sink.deliver(wanted)
        state.replay.delivered += Int64(wanted.count)
    }

    private func checkpoint(_ seq: Int64, _ state: inout ReplayProgress, _ progress: @Sendable (ReplayProgress) -> Void) async throws {
        try await sink.settle()
        state.replay.checkpoint = seq
        try await ledger.checkpoint(state.replay, progress: state.body)
        progress(state)
    }

    /// What was delivered is written down by a task that is not cancelled.
    private func leave(_ state: inout ReplayProgress, _ checkpoints: Checkpoints<RunID>) async throws {
        var checkpoints = checkpoints
        if let due = checkpoints.end(state.replay.source) { state.replay.checkpoint = due }
        let left = state
        try await sink.settle()
        try await Task { try await ledger.checkpoint(left.replay, progress: left.body) }.value
    }
}
