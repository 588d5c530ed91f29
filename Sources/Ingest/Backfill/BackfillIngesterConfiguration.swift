public import Events

/// Which repositories are listed and fed to the workers, and how. What is outside of its range is taken into it by ``BackfillIngester``.
public struct BackfillIngesterConfiguration: Hashable, Sendable {
    /// Which repositories are wanted. Default `live`: there is nothing to do.
    public var scope: RepositoryScope = .live
    /// With the scope `collection`: the collection (NSID) that a wanted repository holds.
    public var signal: String?
    /// With the scope `chosen`: the file of wanted repositories; nil: there is none.
    public var file: String?
    /// The hosts whose lists are read, each by at most one replica at a time. Two of the same host and port are an error.
    public var hosts: [WebSocketEndpoint] = []
    /// Repositories of one page at most. Default 1,000, range 1 to 1,000.
    public var pageEntries = 1_000
    /// Listed repositories of one host that may wait to be fetched. Default 1,000,000.
    public var jobsMax = 1_000_000
    /// What may stand in the job stream. Default 2,000 jobs.
    public var queueHighWater = 2_000
    /// How often the job stream is looked at. Default 200 ms, range 1 ms to 10 s.
    public var poll: Duration = .milliseconds(200)
    /// How long a lease holds without a renewal. Default 5 s, range 500 ms to 5 min.
    public var leaseTimeToLive: Duration = .seconds(5)
    /// How often a lease is renewed, and tried for by a replica that stands by. Default 1.5 s, range 20 ms to 1 min; at most a third of the lease.
    public var leaseRenewal: Duration = .milliseconds(1500)

    public init(scope: RepositoryScope = .live) { self.scope = scope }
}
