/// Where a repository stands, in one word for whoever asks.
///
/// Decided from the row that its shard's owner keeps, from its job, and from whether it was named in the scope. The raw values are shown.
public enum RepositoryPhase: String, Hashable, Sendable, CaseIterable {
    /// Nothing is known of it, and nobody has asked for it.
    case unknown
    /// Its first snapshot is wanted, and no attempt is under way.
    case pending
    /// Its first snapshot is being fetched or applied.
    case backfilling
    /// What its rev stands for was delivered.
    case active
    /// What was delivered may differ from it; no attempt to compare is under way.
    case desynchronized
    /// A snapshot is being fetched or applied that puts right what was delivered.
    case resyncing
    /// Its account is taken down, suspended or deactivated: nothing of it is delivered.
    case inactive
    /// Its account was deleted, or its host does not know it.
    case gone
    /// Somebody had it left out.
    case removed
    /// A snapshot is needed and the last attempt failed: it is tried again at the job's time, or was given up.
    case failed

    /// As far as a phase depends on it, the job of a repository.
    public enum Job: Hashable, Sendable {
        case none
        /// To be tried at its time; how often it failed since the last success.
        case waiting(failures: Int)
        /// Stands in the queue.
        case queued
        /// Being fetched or applied.
        case underWay
        case done
        /// A final answer of the host: takendown, suspended, deactivated, deleted or notFound.
        case refused(String)
        /// Given up.
        case dead
    }

    /// - Parameters:
    ///   - status: of the repository's row; nil where there is none.
    ///   - rev: of the row; empty where nothing was delivered.
    ///   - isWanted: what was said about it by name; nil where nothing was.
    public init(status: String?, rev: String, isWanted: Bool?, job: Job) {
        switch status {
        case _ where isWanted == false: self = .removed
        // Its owner has not taken it up again yet.
        case "removed" where isWanted == true: self = Self.first(job, otherwise: .pending)
        case "removed": self = .removed
        case "inactive": self = .inactive
        case "deleted": self = .gone
        case "active" where rev.isEmpty: self = Self.first(job, otherwise: isWanted == true ? .pending : .unknown)
        // Whatever a wanted snapshot of it comes to: what was delivered is whole.
        case "active": self = .active
        case "pending": self = Self.first(job, otherwise: .pending)
        case "backfilling": self = job.hasFailed ? .failed : .backfilling
        case "resyncing": self = job.hasFailed ? .failed : .resyncing
        case "desynchronized": self = job.hasFailed ? .failed : job == .underWay ? .resyncing : .desynchronized
        case nil: self = Self.first(job, otherwise: isWanted == true ? .pending : .unknown)
        default: self = .unknown
        }
    }

    /// Nothing was delivered yet, so only the job can say.
    private static func first(_ job: Job, otherwise: Self) -> Self {
        switch job {
        case .waiting, .queued: job.hasFailed ? .failed : .pending
        case .underWay: .backfilling
        case .refused(let answer): ["deleted", "notFound"].contains(answer) ? .gone : .inactive
        case .dead: .failed
        case .none, .done: otherwise
        }
    }
}

extension RepositoryPhase.Job {
    fileprivate var hasFailed: Bool {
        switch self {
        case .waiting(let failures): failures > 0
        case .dead: true
        default: false
        }
    }
}
