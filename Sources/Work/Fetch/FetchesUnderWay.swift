internal import Broker
internal import Events
internal import Ledger
internal import Synchronization

/// The jobs that a process has in hand, for its heartbeats. A job is taken once, however often the queue gives it.
final class FetchesUnderWay: Sendable {
    private let jobs = Mutex<[String: (queued: QueuedJob, job: ClaimedJob?)]>([:])

    var count: Int { jobs.withLock { $0.count } }

    var claimedJobs: [(queued: QueuedJob, job: ClaimedJob)] {
        jobs.withLock { jobs in jobs.values.compactMap { entry in entry.job.map { (entry.queued, $0) } } }
    }

    /// False where it is in hand already.
    func begin(_ queued: QueuedJob) -> Bool {
        jobs.withLock { jobs in
            guard jobs[queued.did] == nil else { return false }
            jobs[queued.did] = (queued, nil)
            return true
        }
    }

    /// Whether it is this entry of the queue that is in hand.
    func isInHand(_ id: EntryID) -> Bool { jobs.withLock { $0.values.contains { $0.queued.id == id } } }

    func claimed(_ queued: QueuedJob, _ job: ClaimedJob) { jobs.withLock { $0[queued.did] = (queued, job) } }

    func end(_ queued: QueuedJob) { jobs.withLock { $0[queued.did] = nil } }
}
