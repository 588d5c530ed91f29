public import ATProto
public import Events
public import Flow

/// What a worker does, how much at once, and how long it waits.
public struct WorkerConfiguration: Sendable {
    /// Whether a bad signature or chain is refused, or delivered and marked.
    public var mode = VerificationMode.strict
    /// Entries of one shard that one transaction takes at most. 1 … 10,000.
    public var batchEntries = 500
    /// The same in bytes of entries. 64 KiB … 256 MiB.
    public var batchBytes = 8 << 20
    /// Bytes of entries that a shard's batch may have without borrowing from ``roomBytes``. 16 KiB … 256 MiB.
    public var shardBytes = 128 << 10
    /// Bytes of entries that all shards of the process may hold beyond that, read ahead or being committed. 1 MiB … 16 GiB.
    ///
    /// Nine full batches of usual frames: more than the connections to Postgres commit at once.
    public var roomBytes = 24 << 20
    /// How long a shard that is behind waits for room before it goes on with a small batch.
    public var roomPatience = Duration.seconds(2)
    /// About how large one reply of Redis may be; a batch is put together from several. 64 KiB … 256 MiB.
    public var replyBytes = 1 << 20
    /// How long the first entry of a batch waits for more.
    public var linger = Duration.milliseconds(20)
    /// The longest a commit waits for its predecessor, which another relay may bring.
    public var predecessorWait = Duration.seconds(5)
    /// The longest a message waits for its DID's key; then it is refused and kept.
    public var identityWait = Duration.seconds(3600)
    /// States of repositories that a shard keeps in memory, about 300 bytes each; a process may own all shards.
    public var repositoriesCached = 2_000
    /// Committed entries of a shard that stay in its stream for people to look at.
    public var inspectionTail = 100
    /// How many messages a shard holds for one DID, and in all.
    public var holdLimits = HoldTable.Limits()
    /// How many labels a shard holds of one source from one upstream, and in all, while they wait for a key: 16 KiB each at most, some 400 bytes usually.
    public var labelHoldLimits = HoldTable.Limits(perDID: 10_000, total: 20_000)
    public var identities = IdentityConfiguration()
    public var tracking = TrackingConfiguration()
    /// How long a lease stands without renewal.
    public var leaseTimeToLive = Duration.seconds(5)
    /// How often leases are renewed and shards are shared out; with jitter of a fifth.
    public var leaseRenewal = Duration.milliseconds(1_500)
    /// How long a graceful shutdown waits for running batches, before it abandons them.
    public var drainTimeout = Duration.seconds(6)
    /// How often the line `metric.events_inserted` is logged.
    public var reportEvery = Duration.seconds(60)
    public var seams = FaultSeams.off

    public init() {}

    /// What is wrong with it, a sentence each; empty where nothing is.
    public func problems() -> [String] {
        var problems: [String] = []
        if !(1...10_000).contains(batchEntries) { problems.append("batchEntries is \(batchEntries): 1 to 10000") }
        if !((64 << 10)...(256 << 20)).contains(batchBytes) { problems.append("batchBytes is \(batchBytes): 65536 to 268435456") }
        if !((16 << 10)...(256 << 20)).contains(shardBytes) { problems.append("shardBytes is \(shardBytes): 16384 to 268435456") }
        if !((1 << 20)...(16 << 30)).contains(roomBytes) { problems.append("roomBytes is \(roomBytes): 1048576 to 17179869184") }
        if !((64 << 10)...(256 << 20)).contains(replyBytes) { problems.append("replyBytes is \(replyBytes): 65536 to 268435456") }
        if leaseRenewal * 2 >= leaseTimeToLive { problems.append("leaseRenewal is \(leaseRenewal): less than half of leaseTimeToLive") }
        if repositoriesCached < 2 { problems.append("repositoriesCached is \(repositoriesCached): at least 2") }
        return problems
    }
}
