import Events

/// One session: its number, where it starts, and the lanes that write it.
struct FeedSession: Sendable {
    let number: Int64
    let opening: SessionOpening
    let lanes: [AppendLane]

    /// Hands each lane its share (`shard % lanes`) of the entries, in order. Every lane learns how far the upstream was read.
    func take(_ shares: [[RoutedEntry]], through position: Position) async {
        for (lane, share) in zip(lanes, shares) { await lane.take(share, through: position) }
    }

    func barrier() async {
        for lane in lanes { await lane.barrier() }
    }

    func shed(_ shards: Set<Shard>) async {
        for lane in lanes { await lane.shed(shards) }
    }

    func waitForRoom() async {
        for lane in lanes { await lane.waitForRoom() }
    }

    func finish() async {
        for lane in lanes { await lane.finish() }
    }

    /// The last barrier that every shard acknowledged; nil before the first.
    func acknowledgedBarrier() async -> Position? {
        var least: Position?
        for lane in lanes {
            guard let position = await lane.acknowledgedBarrier else { return nil }
            least = min(least ?? position, position)
        }
        return least
    }
}
