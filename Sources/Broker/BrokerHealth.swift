public import Events
import RedisClient

/// What Redis says of itself, as far as Weir depends on it.
public struct BrokerHealth: Hashable, Sendable {
    public var version: String
    /// In bytes.
    public var usedMemory: Int
    /// 0: no limit.
    public var maxMemory: Int
    /// `maxmemory-policy`: any but `noeviction` takes away what Weir has written.
    public var policy: String
    /// Whether it writes an append-only file.
    public var isAppendOnly: Bool
    /// The id of the newest entry of the outlet that was asked for; nil where there is none.
    public var outletTop: EntryID?

    public init(
        version: String = "7.0.0", usedMemory: Int = 0, maxMemory: Int = 0, policy: String = "noeviction", isAppendOnly: Bool = true,
        outletTop: EntryID? = nil
    ) {
        self.version = version
        self.usedMemory = usedMemory
        self.maxMemory = maxMemory
        self.policy = policy
        self.isAppendOnly = isAppendOnly
        self.outletTop = outletTop
    }
}

extension WorkStreams {
    /// - Parameter run: whose outlet's newest entry is looked at.
    public func health(outletOf run: RunID?) async throws(BrokerError) -> BrokerHealth {
        var batch = RedisBatch()
        batch.append("INFO", "server")
        batch.append("INFO", "memory")
        batch.append("INFO", "persistence")
        let replies = try await redis.brokered(batch)
        var health = try brokered(at: "INFO") { () throws(RedisError) in
            let (server, memory, persistence) = (try replies[0].string(), try replies[1].string(), try replies[2].string())
            return BrokerHealth(
                version: BrokerLevels.text("redis_version", inInfo: server), usedMemory: BrokerLevels.number("used_memory", inInfo: memory),
                maxMemory: BrokerLevels.number("maxmemory", inInfo: memory), policy: BrokerLevels.text("maxmemory_policy", inInfo: memory),
                isAppendOnly: BrokerLevels.number("aof_enabled", inInfo: persistence) == 1)
        }
        if let run { health.outletTop = try await inspect(stream: keys.outlet(run: run), id: nil, count: 1).first?.id }
        return health
    }
}
