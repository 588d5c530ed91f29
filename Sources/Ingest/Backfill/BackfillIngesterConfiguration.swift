public import Events
public import Flow
public import Hosts
import Ledger
import Logging

/// Which repositories are listed and fed to the workers, and how. What is outside of its range is taken into it by ``BackfillIngester``.
public struct BackfillIngesterConfiguration: Hashable, Sendable {
    /// Which repositories are wanted. Default `live`: there is nothing to do.
    public var scope: RepositoryScope = .live
    /// With the scope `collection`: the collection (NSID) that a wanted repository holds.
    public var signal: String?
    /// With the scope `chosen`: the file of wanted repositories; nil: there is none.
    public var file: String?
    /// How often the file is looked at. Default 5 s, range 10 ms to 10 min.
    public var fileInterval: Duration = .seconds(5)
    /// The hosts whose lists are read, each by at most one replica at a time. Two of the same host and port are an error.
    public var hosts: [HostEndpoint] = []
    /// Repositories of one page at most. Default 1,000, range 1 to 1,000.
    public var pageEntries = 1_000
    /// Listed repositories of one host that may wait to be fetched. Default 1,000,000, at least a page.
    public var jobsMax = 1_000_000
    /// How often a listing that pauses looks whether there is room again. Default 500 ms, range 10 ms to 1 min.
    public var roomPoll: Duration = .milliseconds(500)
    /// How often relays' declared gaps are counted once a list is read. Default 5 s, range 10 ms to 10 min.
    public var gapPoll: Duration = .seconds(5)
    /// How often a run tells what has changed. Default and least 1 s; at most 1 min. Tests may go below.
    public var progressInterval: Duration = .seconds(1)
    /// What may stand in the job stream. Default 2,000 jobs, at least 1.
    public var queueHighWater = 2_000
    /// How often the job stream is looked at. Default 200 ms, range 1 ms to 10 s.
    public var poll: Duration = .milliseconds(200)
    /// After which a job that is marked as queued and seen in no stream waits again. Default 1 min, range 1 s to 1 h.
    public var queuedDeadline: Duration = .seconds(60)
    /// Back-off behind failures of a host, of Redis and of Postgres. Default 1 s doubling to 5 min, with jitter; `Retry-After` up to 15 min.
    public var retry = RetryPolicy.Limits(base: .seconds(1), cap: .seconds(300), healthyAfter: .seconds(60))
    /// The same behind a list that can't be read on and is begun again. Default 30 s doubling to an hour.
    public var beginAgain = RetryPolicy.Limits(base: .seconds(30), cap: .seconds(3_600), healthyAfter: .seconds(3_600))
    /// How long to wait before a host is asked again for a method that it does not offer. Default 10 min, range 10 ms to 1 d.
    public var unsupportedRetry: Duration = .seconds(600)
    /// Where runs are published. Default: the outlet.
    public var sinks = ["outlet"]
    /// How long a lease holds without a renewal. Default 5 s, range 500 ms to 5 min.
    public var leaseTimeToLive: Duration = .seconds(5)
    /// How often a lease is renewed, and tried for by a replica that stands by. Default 1.5 s, range 20 ms to 1 min; at most a third of the lease.
    public var leaseRenewal: Duration = .milliseconds(1500)
    /// How often each owner reports for `status`. Default 2 s, range 100 ms to 10 min.
    public var reportInterval: Duration = .seconds(2)

    public init(scope: RepositoryScope = .live) { self.scope = scope }

    /// The same with every value inside its range.
    func clamped() -> Self {
        var copy = self
        func clamp(_ path: WritableKeyPath<Self, Duration>, _ low: Duration, _ high: Duration) {
            copy[keyPath: path] = min(max(copy[keyPath: path], low), high)
        }
        clamp(\.fileInterval, .milliseconds(10), .seconds(600))
        clamp(\.roomPoll, .milliseconds(10), .seconds(60))
        clamp(\.gapPoll, .milliseconds(10), .seconds(600))
        clamp(\.progressInterval, .milliseconds(10), .seconds(60))
        clamp(\.poll, .milliseconds(1), .seconds(10))
        clamp(\.queuedDeadline, .seconds(1), .seconds(3_600))
        clamp(\.unsupportedRetry, .milliseconds(10), .seconds(86_400))
        clamp(\.leaseTimeToLive, .milliseconds(500), .seconds(300))
        clamp(\.leaseRenewal, .milliseconds(20), min(.seconds(60), copy.leaseTimeToLive / 3))
        clamp(\.reportInterval, .milliseconds(100), .seconds(600))
        copy.pageEntries = min(max(pageEntries, 1), 1_000)
        copy.jobsMax = max(jobsMax, copy.pageEntries)
        copy.queueHighWater = max(queueHighWater, 1)
        return copy
    }

    func leasedWork(on host: String, leases: any UpstreamLeases, worker: WorkerID, logger: Logger) -> LeasedWork {
        LeasedWork(
            name: UpstreamName(kind: .backfill, host: host), leases: leases, worker: worker, timeToLive: leaseTimeToLive, renewal: leaseRenewal,
            reportInterval: reportInterval, logger: logger)
    }
}
