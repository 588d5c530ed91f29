internal import Events
internal import Flow
internal import Synchronization

/// A shard's lease clock, set by the lease rounds and read by the pipeline before it commits.
final class LeaseTrust: Sendable {
    private let clock: Mutex<LeaseClock>

    init(timeToLive: Duration) { clock = Mutex(LeaseClock(timeToLive: timeToLive, margin: timeToLive / 10)) }

    func renewed(callStartedAt start: MonotonicTime) { clock.withLock { $0.renewed(callStartedAt: start) } }

    func lost() { clock.withLock { $0.lost() } }

    func isTrusted(at now: MonotonicTime) -> Bool { clock.withLock { $0.isTrusted(at: now) } }
}
