import Broker
import CoreMetrics
import Events
import Logging
import Synchronization

/// What applications have appended through this process since the last report, for the line `metric.events_inserted`; the metric is counted at once.
///
/// Both are those of the pipeline's appends: in a process that does both they are one number.
final class AppendReport: Sendable {
    private struct Counts {
        var events = 0
        var batches = 0
        var repeated = 0
        var runs: Set<RunID> = []
        /// The longest append, from the body that was read to its commit.
        var lagMsMax: Int64 = 0
    }

    private let counts = Mutex(Counts())
    private let inserted: Counter
    private let every: Duration
    private let logger: Logger

    /// Above it runs are no longer told apart.
    private static let runsMax = 10_000

    init(factory: any MetricsFactory, every: Duration, logger: Logger) {
        inserted = Counter(label: "weir_events_inserted_total", dimensions: [], factory: factory)
        self.every = every
        self.logger = logger
    }

    func appended(_ events: Int, repeated: Int = 0, to run: RunID, since: MonotonicTime, now: MonotonicTime = .current) {
        if events > 0 { inserted.increment(by: events) }
        counts.withLock { counts in
            counts.events += events
            counts.batches += 1
            counts.repeated += repeated
            if counts.runs.count < Self.runsMax { counts.runs.insert(run) }
            counts.lagMsMax = max(counts.lagMsMax, (now - since).milliseconds)
        }
    }

    /// Until cancelled: a line each interval in which something was appended. What came since the last one is ``report()``'s.
    func run() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: every)
            report()
        }
    }

    func report() {
        let taken = counts.withLock { counts in
            defer { counts = Counts() }
            return counts
        }
        guard taken.batches > 0 else { return }
        logger.info(
            "metric.events_inserted",
            metadata: [
                "count": "\(taken.events)", "batches": "\(taken.batches)", "repeated": "\(taken.repeated)", "runs": "\(taken.runs.count)",
                "lag_ms_max": "\(taken.lagMsMax)",
            ])
    }
}
