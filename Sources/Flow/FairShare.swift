public import Events

/// Which shards a worker takes, and which it gives back, so that each live worker owns ceil(shards / workers) at most.
///
/// All workers compute it from the same rows, and a free shard is taken by one statement that only one of them wins: a wrong view costs a
/// round, never a shard owned twice. Nobody above the share takes and nobody gives back below it, so shards do not bounce.
public struct FairShare: Hashable, Sendable {
    /// What one round does.
    public struct Plan: Hashable, Sendable {
        /// Shards to try for, best first; more may be listed than ``wanted`` since others try for them too.
        public var take: [Shard]
        /// How many of ``take`` to acquire at most.
        public var wanted: Int
        /// Shards to release, after their running batch has committed.
        public var giveBack: [Shard]

        public init(take: [Shard] = [], wanted: Int = 0, giveBack: [Shard] = []) {
            self.take = take
            self.wanted = wanted
            self.giveBack = giveBack
        }
    }

    public let shards: Int

    public init(shards: Int) { self.shards = max(1, shards) }

    /// The most that one of `workers` live workers owns. A worker counts from its first heartbeat on, itself included.
    public func share(workers: Int) -> Int {
        let workers = max(1, workers)
        return (shards + workers - 1) / workers
    }

    /// - Parameters:
    ///   - me: the worker's name: it decides where in the ring of free shards it begins, so that newcomers do not all try for the same one.
    ///   - workers: how many workers live, this one included.
    ///   - owned: the shards that this worker owns.
    ///   - free: shards without an owner, or whose lease ran out.
    public func plan(me: WorkerID, workers: Int, owned: Set<Shard>, free: Set<Shard>) -> Plan {
        let share = share(workers: workers)
        if owned.count > share {
            // The highest go: every round of the same view names the same ones.
            return Plan(giveBack: Array(owned.sorted().suffix(owned.count - share)))
        }
        let wanted = share - owned.count
        guard wanted > 0, !free.isEmpty else { return Plan() }
        let start = ShardMap(count: ShardMap.allowedCounts.upperBound).shard(of: me.description) % shards
        let ring = free.subtracting(owned).sorted { ($0 - start + shards) % shards < ($1 - start + shards) % shards }
        return Plan(take: ring, wanted: min(wanted, ring.count))
    }
}
