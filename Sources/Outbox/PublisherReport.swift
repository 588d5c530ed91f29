import Events
import Metrics

/// What was published since the last report, for the log line `metric.events_published`; the metrics are counted at once.
struct PublisherReport: Sendable {
    private(set) var events = 0
    private(set) var runs: Set<RunID> = []
    private(set) var lagMsMax: Int64 = 0
    private var lagMsSum: Int64 = 0

    private let published: Counter
    private let lag: Recorder
    private let failures: Counter
    private let gaps: Counter
    private let rebuilt: Counter
    private let lost: Counter

    /// - Parameter factory: nil: the process's own (`MetricsSystem`).
    init(sink: String, factory: (any MetricsFactory)? = nil) {
        let factory = factory ?? MetricsSystem.factory
        let labels = [("sink", sink)]
        published = Counter(label: "weir_events_published_total", dimensions: labels, factory: factory)
        lag = Recorder(label: "weir_publish_lag_ms", dimensions: labels, aggregate: true, factory: factory)
        failures = Counter(label: "weir_publish_failures_total", dimensions: labels, factory: factory)
        gaps = Counter(label: "weir_publish_gaps_total", dimensions: labels, factory: factory)
        rebuilt = Counter(label: "weir_outlets_rebuilt_total", dimensions: labels, factory: factory)
        lost = Counter(label: "weir_publish_lost_claims_total", dimensions: labels, factory: factory)
    }

    var lagMsMean: Int64 { events == 0 ? 0 : lagMsSum / Int64(events) }

    mutating func published(_ batch: [LogEvent], now: WallTime) {
        guard let run = batch.first?.run else { return }
        published.increment(by: batch.count)
        events += batch.count
        runs.insert(run)
        for event in batch {
            // Two machines' clocks: an event may seem to come from the future.
            let lagMs = max(0, (now.microseconds - event.loggedAt.microseconds) / 1000)
            lagMsMax = max(lagMsMax, lagMs)
            lagMsSum += lagMs
            lag.record(lagMs)
        }
    }

    func failed() { failures.increment() }
    func foundGap() { gaps.increment() }
    func rebuiltOutlet() { rebuilt.increment() }
    /// The mark found another token or cursor: a peer had taken over.
    func lostClaims(_ count: Int) { lost.increment(by: count) }

    /// Starts a new interval; the metrics go on.
    mutating func reset() {
        events = 0
        runs = []
        lagMsMax = 0
        lagMsSum = 0
    }
}
