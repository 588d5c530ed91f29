import RedisClient

/// How full Redis is.
public struct BrokerMemory: Hashable, Sendable {
    public var used: Int
    /// 0: no limit.
    public var max: Int

    public init(used: Int, max: Int) {
        self.used = used
        self.max = max
    }

    /// Of the limit; nil where there is none.
    public var share: Double? { max > 0 ? Double(used) / Double(max) : nil }

    static let command = RedisCommand("INFO", "memory")

    /// The text of `INFO memory`.
    init(info: String) {
        used = BrokerLevels.number("used_memory", inInfo: info)
        max = BrokerLevels.number("maxmemory", inInfo: info)
    }
}
