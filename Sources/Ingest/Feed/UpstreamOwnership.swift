import Events
import Flow
import Ledger
import Logging
import Synchronization

/// An upstream's lease while this process holds it: renews it, says whether it may still be trusted, and hears of rewinds.
final class UpstreamOwnership: Sendable {
    private struct State {
        var clock: LeaseClock
        /// False until a renewal said whether a rewind is pending.
        var knowsRewinds = false
        var rewindOf: Int64?
    }

    let lease: UpstreamLease
    /// Rings when a rewind is asked for.
    let rewindBell = Doorbell()
    private let ledger: any UpstreamLeases
    private let worker: WorkerID
    private let timeToLive: Duration
    private let renewal: Duration
    private let logger: Logger
    private let state: Mutex<State>

    init(
        lease: UpstreamLease, callStartedAt: MonotonicTime, ledger: any UpstreamLeases, worker: WorkerID, timeToLive: Duration, renewal: Duration,
        logger: Logger
    ) {
        self.lease = lease
        self.ledger = ledger
        self.worker = worker
        self.logger = logger
        self.timeToLive = timeToLive
        self.renewal = renewal
        var clock = LeaseClock(timeToLive: timeToLive, margin: min(.milliseconds(500), timeToLive / 10))
        clock.renewed(callStartedAt: callStartedAt)
        state = Mutex(State(clock: clock))
    }

    var isTrusted: Bool { state.withLock { $0.clock.isTrusted(at: ProcessClock.now) } }

    /// The session that is to be read again, as the last renewal said.
    var rewindOf: Int64? { state.withLock { $0.rewindOf } }

    /// A rewind is pending, or it is not known that none is: only the committed watermark is safe to start from.
    var mustUseWatermark: Bool { state.withLock { !$0.knowsRewinds || $0.rewindOf != nil } }

    /// Renews at once and then regularly, until the lease is lost or the task is cancelled.
    func keep() async -> ConnectionEnd {
        while !Task.isCancelled {
            if let end = await renew() { return end }
            do { try await Task.sleep(for: renewal) } catch { break }
        }
        return ConnectionEnd(.cancelled)
    }

    /// Returns when the trust in the lease ended: a renewal that hangs must not keep it alive.
    func watch() async -> ConnectionEnd {
        while !Task.isCancelled {
            let remaining = state.withLock { $0.clock.remaining(at: ProcessClock.now) }
            guard remaining > .zero else { return ConnectionEnd(.leaseLost) }
            do { try await Task.sleep(for: remaining) } catch { break }
        }
        return ConnectionEnd(.cancelled)
    }

    /// Nil where the lease is ours as far as is known.
    func renew() async -> ConnectionEnd? {
        let start = ProcessClock.now
        do throws(LedgerError) {
            let renewed = try await ledger.renewUpstreams([lease], worker: worker, ttl: timeToLive)
            guard let status = renewed.first(where: { $0.lease == lease }) else {
                state.withLock { $0.clock.lost() }
                return ConnectionEnd(.leaseLost)
            }
            state.withLock { state in
                state.clock.renewed(callStartedAt: start)
                state.knowsRewinds = true
                state.rewindOf = status.rewindOf
            }
            if status.rewindOf != nil { rewindBell.ring() }
            return nil
        } catch {
            logger.warning("the lease could not be renewed", metadata: ["error": "\(error)"])
            return error.code == .fenced ? ConnectionEnd(.leaseLost) : nil
        }
    }
}
