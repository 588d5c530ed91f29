internal import Events
internal import Flow
internal import Ledger

/// What a process knows of a shard that it owns.
struct OwnedShard {
    enum State {
        /// Its pipeline runs since then.
        case running(since: MonotonicTime)
        /// It failed, and is tried again then.
        case waiting(until: MonotonicTime)
    }

    let lease: ShardLease
    let trust: LeaseTrust
    /// Of the pipeline that runs, or ran last.
    var stop = StopSignal()
    var state: State
    var retry = RetryPolicy(limits: .init(base: .milliseconds(200), cap: .seconds(15), healthyAfter: .seconds(60)))
    /// Set while the ledger says that the shard is halted.
    var haltedReason: String?
    /// To be given back as soon as its pipeline has ended.
    var isLeaving = false

    /// A failure of this kind halts the shard, where it is the n-th without a healthy while.
    static func halts(_ kind: ShardFailure.Kind, failures: Int) -> Bool {
        switch kind {
        case .corrupt: true
        case .other: failures >= 3
        case .fenced, .unavailable: false
        }
    }
}
