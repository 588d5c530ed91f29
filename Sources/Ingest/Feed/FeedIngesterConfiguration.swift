public import Flow

/// How a feed is read. What is outside of its range is taken into it by ``FeedIngester``; `Fleet` checks it at start and says so.
public struct FeedIngesterConfiguration: Hashable, Sendable {
    /// The upstreams, each read by at most one replica at a time. Default: none. Two of the same host and port are an error.
    public var hosts: [WebSocketEndpoint] = []
    /// DIDs of labelers, which are found through their documents. Default: none.
    public var labelers: [String] = []
    /// How often it is asked whether such a labeler has moved, while it is read. Default 10 min, range 20 ms to 1 day.
    public var resolveInterval: Duration = .seconds(600)
    /// Where an upstream begins that was never read before. Default `live`.
    public var start: FeedStart = .live
    /// What to do when an upstream says that our position lies in its future. Default `stop`.
    public var futureCursor: FutureCursorPolicy = .stop
    /// When to stop reading, and what a halted shard may hold. Default 100,000 entries, 1 GB, 85 % of Redis' `maxmemory`.
    public var highWater = HighWaterGate.Limits()
    /// How often the levels of Redis are measured. Default 250 ms, range 10 ms to 10 s.
    public var levelInterval: Duration = .milliseconds(250)
    /// Committed entries that each shard's stream keeps for inspection, and which are therefore no backlog. Default 0, range 0 to 1,000,000.
    public var keptTailEntries = 0
    /// How long a lease holds without a renewal. Default 5 s, range 500 ms to 5 min.
    public var leaseTimeToLive: Duration = .seconds(5)
    /// How often a lease is renewed, and tried for by a replica that stands by. Default 1.5 s, range 20 ms to 1 min; at most a third of the lease.
    public var leaseRenewal: Duration = .milliseconds(1500)
    /// How often each shard gets a barrier. Default 1 s, range 10 ms to 1 min.
    public var barrierInterval: Duration = .seconds(1)
    /// How often each upstream writes its heartbeat line and its report for `status`. Default 60 s and 5 s, range 100 ms to 10 min.
    public var heartbeatInterval: Duration = .seconds(60)
    public var reportInterval: Duration = .seconds(5)
    /// Limits of the connection: frame size, queue, pings, idle limit, time to connect.
    public var connection = WebSocketOptions()
    /// Append pipelines under way for one upstream, each over its own share of the shards. Default 4, range 1 to 4.
    public var lanes = 4
    /// Size of one append pipeline. Default 1,000 entries and 512 KB, range 1 to 10,000 and 64 KB to 16 MB.
    public var batchEntriesMax = 1_000
    public var batchBytesMax = 512 << 10
    /// What may be read and not yet acknowledged by Redis before reading stops. Default 20,000 entries and 8 MB for one upstream: what is
    /// more only grows cold in front of a Redis that is busy anyway.
    public var unacknowledged = SessionWriter.Limits(entries: 20_000, bytes: 8 << 20)
    /// Back-off between connections. Default 250 ms doubling to 30 s, with jitter; `Retry-After` up to 15 min.
    public var reconnect = RetryPolicy.Limits()
    /// What a graceful end may take to write what was read. Default 3 s, range 100 ms to 1 min.
    public var drainLimit: Duration = .seconds(3)

    public init(hosts: [WebSocketEndpoint] = []) { self.hosts = hosts }

    var sources: [FeedSource] { hosts.map(FeedSource.host) + labelers.map(FeedSource.labeler(did:)) }

    /// The same with every value inside its range.
    func clamped() -> Self {
        var copy = self
        copy.resolveInterval = Self.clamp(resolveInterval, .milliseconds(20), .seconds(86_400))
        copy.levelInterval = Self.clamp(levelInterval, .milliseconds(10), .seconds(10))
        copy.keptTailEntries = min(max(keptTailEntries, 0), 1_000_000)
        copy.leaseTimeToLive = Self.clamp(leaseTimeToLive, .milliseconds(500), .seconds(300))
        copy.leaseRenewal = Self.clamp(leaseRenewal, .milliseconds(20), min(.seconds(60), copy.leaseTimeToLive / 3))
        copy.barrierInterval = Self.clamp(barrierInterval, .milliseconds(10), .seconds(60))
        copy.heartbeatInterval = Self.clamp(heartbeatInterval, .milliseconds(100), .seconds(600))
        copy.reportInterval = Self.clamp(reportInterval, .milliseconds(100), .seconds(600))
        copy.connection = connection.clamped()
        copy.lanes = min(max(lanes, 1), 4)
        copy.batchEntriesMax = min(max(batchEntriesMax, 1), 10_000)
        copy.batchBytesMax = min(max(batchBytesMax, 65_536), 16 << 20)
        copy.drainLimit = Self.clamp(drainLimit, .milliseconds(100), .seconds(60))
        return copy
    }

    private static func clamp(_ value: Duration, _ low: Duration, _ high: Duration) -> Duration { min(max(value, low), high) }
}
