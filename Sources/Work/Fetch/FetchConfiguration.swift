public import Hosts

/// What a worker fetches, how much at once, and how long it waits.
public struct FetchConfiguration: Sendable {
    /// Requests to hosts under way at once in this process.
    public var concurrency = 8
    /// Of one host.
    public var hostConcurrency = 4
    /// Requests to one host that begin in a second at most.
    public var hostRate = 8
    /// Asked where the account's own host does not answer, in this order.
    public var fallbackHosts: [HostEndpoint] = []
    /// Where archives stand while they are verified.
    public var spoolFolder = "/tmp"
    /// The largest archive that is taken.
    public var repositoryBytesMax = 1 << 30
    /// Entries over all backfill streams above which nothing is written; it goes on at three quarters of it.
    public var highWaterEntries = 20_000
    /// The share of Redis' `maxmemory` in use above which nothing is written either.
    public var highWaterMemory = 0.85
    /// How long a stored identity is believed before it is fetched again.
    public var identityLifetime = Duration.seconds(24 * 3600)
    /// A job that a consumer of the queue has had for so long without a word is taken over.
    public var silence = Duration.seconds(45)
    /// How often it says that it is still there.
    public var heartbeat = Duration.seconds(10)
    /// What an attempt is given from each sign of life on before it waits again.
    var attemptDeadline: Duration { silence * 2 }
    /// With so much of it left there was no sign for nearly ``silence``: whoever gets the queue's entry then may take the job. Less than all of it, as queue
    /// and ledger hear of an attempt one after the other.
    var silentDeadline: Duration { attemptDeadline - silence * 3 / 4 }
    /// How long the owner of the shard may take before a snapshot is fetched again.
    public var ownerDeadline = Duration.seconds(120)
    /// Consumers that may die over a job before it is given up.
    public var deliveriesMax = 5
    /// Attempts of a job that may fail in a row before it is given up.
    public var failuresMax = 12
    public var poll = Duration.milliseconds(100)
    public var connections = HostConnectionConfiguration()
    public var documents = DIDFetcherConfiguration()

    public init() {}
}
