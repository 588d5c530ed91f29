import Broker
public import Events
import Flow
public import Ledger
public import Logging
import Metrics
public import ServiceLifecycle

/// Makes the log's partitions days ahead, and drops the days that are past their time. Any number may run: one does it, under a lease.
///
/// What a crash leaves behind: copies of terminal events whose day still stands, which nobody sees twice; and a lease, which runs out.
public struct RetentionService: Service {
    private let configuration: RetentionConfiguration
    private let plan: RetentionPlan
    private let ledger: Ledger
    private let worker: WorkerID
    private let logger: Logger
    private let today: @Sendable () -> Int
    private let overdue = Gauge(label: "weir_log_days_overdue")
    private let dropped = Counter(label: "weir_log_days_dropped_total")
    private let forced = Counter(label: "weir_log_days_dropped_unread_total")

    public static let duty = "retention"

    /// - Parameter today: days since 1970-01-01 in UTC; nil: the clock's.
    public init(
        configuration: RetentionConfiguration, ledger: Ledger, worker: WorkerID, logger: Logger,
        today: (@Sendable () -> Int)? = nil
    ) {
        self.configuration = configuration
        plan = RetentionPlan(keepDays: configuration.keepDays, keepDaysMax: configuration.keepDaysMax)
        self.ledger = ledger
        self.worker = worker
        self.logger = logger
        self.today = today ?? { Int(WallTime.current.microseconds / 86_400_000_000) }
    }

    /// Until graceful shutdown or cancellation. A ledger that does not answer is asked again at the next look.
    public func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do throws(LedgerError) {
                    _ = try await once()
                } catch {
                    logger.warning("retention waits for the ledger", metadata: ["error": "\(error)"])
                }
                try? await Task.sleep(for: configuration.checkEvery * Double.random(in: 0.75...1.25))
            }
        }
    }

    /// One look. Returns the partitions that were dropped; nil where another process does it.
    func once() async throws(LedgerError) -> [String]? {
        guard let lease = try await ledger.takeDuty(Self.duty, owner: worker, ttl: configuration.leaseTTL) else { return nil }
        do throws(LedgerError) {
            try await ledger.makePartitions(daysAhead: configuration.daysAhead, lockTimeout: configuration.lockTimeout)
        } catch {
            guard error.code == .contention else { throw error }
            logger.notice("the log's days ahead could not be made now", metadata: ["error": "\(error)"])
        }
        let today = today()
        var (gone, late): ([String], Int64) = ([], 0)
        if let oldest = plan.oldest(today: today) {
            for day in try await ledger.logDays(before: oldest) where !Task.isCancelled {
                let verdict = plan.verdict(RetentionPlan.Day(day: day.day, isNeeded: day.isNeeded), today: today)
                switch verdict {
                case .keep: break
                case .overdue: late += 1
                case .drop, .dropAtBound:
                    if try await drop(day, isForced: verdict == .dropAtBound, lease) { gone.append(day.partition) }
                }
            }
        }
        overdue.record(late)
        if late > 0 { logger.warning("days of the log are past their time, and sinks still need them", metadata: ["days": "\(late)"]) }
        try await ledger.endDuty(lease, note: "\(gone.count) dropped, \(late) overdue")
        return gone
    }

    /// - Returns: false where the log's lock was not to be had: it is tried at the next look.
    private func drop(_ day: LogDay, isForced: Bool, _ lease: DutyLease) async throws(LedgerError) -> Bool {
        do throws(LedgerError) {
            try await ledger.dropDay(
                day, under: lease, lockTimeout: configuration.lockTimeout, why: "dropped after \(plan.keepDaysMax) days (log.keep_days_max)")
        } catch {
            guard error.code == .contention else { throw error }
            logger.notice("a day of the log could not be dropped now", metadata: ["partition": "\(day.partition)", "error": "\(error)"])
            return false
        }
        dropped.increment()
        if isForced { forced.increment() }
        logger.notice(
            "a day of the log was dropped", metadata: ["partition": "\(day.partition)", "bytes": "\(day.bytes)", "unread": "\(isForced)"])
        return true
    }
}
