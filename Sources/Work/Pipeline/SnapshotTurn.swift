internal import Events

/// When a shard takes of its backfill stream: as long as no live batch has arrived, and one part even then, so that neither waits for the other for ever.
struct SnapshotTurn {
    /// How long an empty stream is left alone. Requests are looked at as often.
    private static let pause = Duration.milliseconds(500)
    private var nextLook: MonotonicTime?
    private var idleLooks = 0

    mutating func take(_ run: inout ShardRun, until isOver: () -> Bool, now: () -> MonotonicTime) async throws {
        if let nextLook, now() < nextLook { return }
        _ = try await run.carryOutRequests()
        repeat {
            guard try await run.takeSnapshots() else {
                nextLook = now() + Self.pause
                idleLooks += 1
                // Silence may be a stream that was lost, or whose ids fell behind our position.
                if idleLooks.isMultiple(of: 10) { try await run.prepareSnapshots() }
                return
            }
            idleLooks = 0
            try await run.sweep()
        } while !isOver()
        nextLook = nil
    }
}
