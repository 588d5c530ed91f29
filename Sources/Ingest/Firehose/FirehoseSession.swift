import Events

/// One session: its number, where it starts, and the lanes that write it.
struct FirehoseSession: Sendable {
    let number: Int64
    let opening: SessionOpening
    let lanes: [AppendLane]

    /// Hands entries to the lanes of their shards, in order. Every lane learns how far the upstream was read.
    func take(_ entries: [(entry: UpstreamEntry, shard: Shard)], through position: Position) async {
        if lanes.count == 1 {
            await lanes[0].take(entries, through: position)
            return
        }
        var shares = Array(repeating: [(entry: UpstreamEntry, shard: Shard)](), count: lanes.count)
        for item in entries { shares[item.shard % lanes.count].append(item) }
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
