public import Events

/// Says when ingesters have to stop reading, and which halted shards they leave out meanwhile. It never drops: it pauses.
///
/// The backlog (entries behind which no commit lies) of the shards that are worked on counts together; a halted shard counts only against its own
/// quota, so that it cannot hold the others up. Paused at a high-water mark, open again below every low-water mark.
/// Source: DELIVERY, "Reading and trimming streams".
public struct HighWaterGate: Hashable, Sendable {
    public struct Limits: Hashable, Sendable {
        /// Entries of all shards together at which reading stops.
        public var highEntries: Int
        /// At which it goes on: 75 % of ``highEntries`` unless said otherwise.
        public var lowEntries: Int
        /// Bytes of all shards together at which reading stops; it goes on at 75 % of it.
        public var highBytes: Int
        /// The share of Redis' `maxmemory` in use at which reading stops, 0 to 1. Room above it is kept for positions and trims.
        public var memoryFraction: Double
        /// At which it goes on. Near the mark: outlets and other keys may hold much that no worker can take away.
        public var memoryResumeFraction: Double
        /// Entries that a halted shard may hold before its messages are left out.
        public var haltedShardEntries: Int

        public init(
            highEntries: Int = 100_000, lowEntries: Int? = nil, highBytes: Int = 1 << 30, memoryFraction: Double = 0.85,
            memoryResumeFraction: Double? = nil, haltedShardEntries: Int = 10_000
        ) {
            self.highEntries = highEntries
            self.lowEntries = lowEntries ?? highEntries / 4 * 3 + highEntries % 4 * 3 / 4
            self.highBytes = highBytes
            self.memoryFraction = memoryFraction
            self.memoryResumeFraction = memoryResumeFraction ?? (memoryFraction * 100 - 5).rounded() / 100
            self.haltedShardEntries = haltedShardEntries
        }
    }

    /// What was measured. Arrays are indexed by shard; a shard beyond an array's end holds nothing.
    public struct Levels: Hashable, Sendable {
        public var entries: [Int]
        public var bytes: [Int]
        public var usedMemory: Int
        /// 0 where Redis has no `maxmemory`: memory is then not looked at.
        public var maxMemory: Int
        public var halted: Set<Shard>

        public init(entries: [Int], bytes: [Int] = [], usedMemory: Int = 0, maxMemory: Int = 0, halted: Set<Shard> = []) {
            self.entries = entries
            self.bytes = bytes
            self.usedMemory = usedMemory
            self.maxMemory = maxMemory
            self.halted = halted
        }
    }

    public enum Reason: String, Hashable, Sendable { case entries, bytes, memory }

    public struct Decision: Hashable, Sendable {
        /// Why reading is stopped; nil where it goes on.
        public var pausedBy: Reason?
        /// Halted shards at their quota: their messages are left out, only their barriers go on, marked `shed`.
        public var shed: Set<Shard>

        public init(pausedBy: Reason? = nil, shed: Set<Shard> = []) {
            self.pausedBy = pausedBy
            self.shed = shed
        }

        public var isOpen: Bool { pausedBy == nil }
    }

    public let limits: Limits
    public private(set) var decision = Decision()

    public init(limits: Limits = Limits()) { self.limits = limits }

    @discardableResult
    public mutating func measured(_ levels: Levels) -> Decision {
        let entries = Self.sum(levels.entries, without: levels.halted)
        let bytes = Self.sum(levels.bytes, without: levels.halted)
        let memory = levels.maxMemory > 0 ? Double(levels.usedMemory) / Double(levels.maxMemory) : 0

        if entries >= limits.highEntries {
            decision.pausedBy = .entries
        } else if bytes >= limits.highBytes {
            decision.pausedBy = .bytes
        } else if memory >= limits.memoryFraction {
            decision.pausedBy = .memory
        } else if let reason = decision.pausedBy {
            // Every level has to be low, not only the one that stopped us: two that alternate would make the gate flap.
            let isLow = entries <= limits.lowEntries && bytes <= limits.highBytes / 4 * 3 && memory <= limits.memoryResumeFraction
            decision.pausedBy = isLow ? nil : reason
        }

        decision.shed = levels.halted.filter { shard in
            decision.shed.contains(shard) || levels.entries.indices.contains(shard) && levels.entries[shard] >= limits.haltedShardEntries
        }
        return decision
    }

    private static func sum(_ values: [Int], without halted: Set<Shard>) -> Int {
        var sum = 0
        for (shard, value) in values.enumerated() where !halted.contains(shard) { sum += value }
        return sum
    }
}
