internal import Events
internal import Ledger

/// When a shard takes of its backfill stream: between live batches, a part at a time, in its turn among the shards of the process.
///
/// A turn that came while a live batch was worked on is used behind it, even where the next one has arrived: neither waits for the other for ever.
struct SnapshotTurn {
    /// How long an empty stream is left alone where nobody says that it fills. Requests are looked at as often.
    private static let pause = Duration.milliseconds(500)

    let turns: SnapshotTurns
    private var nextRequests = MonotonicTime.zero
    private var nextLook = MonotonicTime.zero
    private var idleLooks = 0

    init(turns: SnapshotTurns) { self.turns = turns }

    /// Takes parts until `isOver`; `bell` rings when it is, or when it may be a turn.
    mutating func take(_ run: inout ShardRun, until isOver: () -> Bool, _ bell: Bell, now: () -> MonotonicTime) async throws {
        let shard = run.lease.shard
        while true {
            if now() >= nextRequests {
                nextRequests = now() + Self.pause
                _ = try await run.carryOutRequests()
            }
            let wantsTurn = turns.isFilled(shard) || now() >= nextLook
            if wantsTurn, let bytes = turns.ask(shard) {
                try await part(&run, bytes, now)
                if !isOver() { continue }
            }
            if isOver() { return }
            let wake = wantsTurn ? nextRequests : min(nextRequests, nextLook)
            await bell.wait(atMost: max(.milliseconds(1), wake - now()))
            try Task.checkCancellation()
        }
    }

    private mutating func part(_ run: inout ShardRun, _ bytes: Int, _ now: () -> MonotonicTime) async throws {
        let begun = now()
        var taken = 0
        defer { turns.done(run.lease.shard, bytes: taken, took: now() - begun) }
        taken = try await run.takeSnapshotPart(bytes: bytes)
        guard taken == 0 else {
            idleLooks = 0
            return try await run.sweep()
        }
        turns.emptied(run.lease.shard)
        nextLook = now() + Self.pause
        idleLooks += 1
        // Silence may be a stream that was lost, or whose ids fell behind our position.
        if idleLooks.isMultiple(of: 10) { try await run.prepareSnapshots() }
    }
}
