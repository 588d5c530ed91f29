import Events
import Ledger
import Logging
import ServiceLifecycle

/// Stands by for the lease of an upstream, and does its work for as long as it holds it.
///
/// Never throws and ends only with the process. Work that returns while the lease is ours is begun again, under the next token.
struct LeasedWork: Sendable {
    let name: UpstreamName
    let leases: any UpstreamLeases
    let worker: WorkerID
    let timeToLive: Duration
    let renewal: Duration
    let reportInterval: Duration
    let logger: Logger

    private var isEnding: Bool { Task.isCancelled || Task.isShuttingDownGracefully }

    /// - Parameters:
    ///   - report: how the work is, asked for each ``reportInterval``.
    ///   - work: ends at a shutdown, when it is cancelled, and when it is told that the lease is another's.
    func run(report: @escaping @Sendable () -> UpstreamReport, _ work: @escaping @Sendable (UpstreamOwnership) async -> ConnectionEnd) async {
        var wasRefused = false
        while !isEnding {
            let start = ProcessClock.now
            do throws(LedgerError) {
                if let lease = try await leases.acquireUpstream(name, worker: worker, ttl: timeToLive) {
                    logger.info("the lease is ours", metadata: ["token": "\(lease.token)"])
                    await own(
                        UpstreamOwnership(
                            lease: lease, callStartedAt: start, ledger: leases, worker: worker, timeToLive: timeToLive, renewal: renewal,
                            logger: logger),
                        report, work)
                    wasRefused = false
                } else if !wasRefused {
                    logger.info("another replica does this; standing by")
                    wasRefused = true
                }
            } catch {
                logger.warning("the lease could not be asked for", metadata: ["error": "\(error)"])
            }
            // Jitter: replicas that lost the same owner do not ask in step.
            if !isEnding { await Pause.sleep(renewal * Double.random(in: 0.5...1)) }
        }
    }

    private func own(
        _ ownership: UpstreamOwnership, _ report: @escaping @Sendable () -> UpstreamReport,
        _ work: @escaping @Sendable (UpstreamOwnership) async -> ConnectionEnd
    ) async {
        let end = await withTaskGroup(of: ConnectionEnd.self) { group in
            group.addTask { await ownership.keep() }
            group.addTask { await ownership.watch() }
            group.addTask { await tell(ownership, report) }
            group.addTask { await work(ownership) }
            let first = await group.next()
            group.cancelAll()
            return first ?? ConnectionEnd(.cancelled)
        }
        if end.cause == .leaseLost {
            return logger.warning("the lease was lost; nothing more is written", metadata: ["token": "\(ownership.lease.token)"])
        }
        do throws(LedgerError) {
            try await leases.releaseUpstream(ownership.lease)
        } catch {
            logger.info("the lease was not given back; it runs out by itself", metadata: ["error": "\(error)"])
        }
    }

    private func tell(_ ownership: UpstreamOwnership, _ report: @Sendable () -> UpstreamReport) async -> ConnectionEnd {
        while !Task.isCancelled {
            do throws(LedgerError) {
                try await leases.reportUpstream(ownership.lease, report: report())
            } catch {
                if error.code == .fenced { return ConnectionEnd(.leaseLost) }
                logger.debug("the report was not stored", metadata: ["error": "\(error)"])
            }
            do { try await Task.sleep(for: reportInterval) } catch { break }
        }
        return ConnectionEnd(.cancelled)
    }
}
