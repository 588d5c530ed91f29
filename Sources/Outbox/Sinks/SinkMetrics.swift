import Events
import Flow
import Ledger
import Metrics

/// What a worker measures of one sink, for Prometheus: `weir_sink_…{sink="…"}`.
struct SinkMetrics: Sendable {
    private let passed: Counter
    private let refused: Counter
    private let aside: Counter
    private let backlog: Gauge
    private let lag: Gauge
    private let breaker: Gauge
    private let halted: Gauge
    private let letters: Gauge
    private let states: [SinkHealth.State: Gauge]

    init(_ name: SinkName, factory: (any MetricsFactory)?) {
        let factory = factory ?? MetricsSystem.factory
        let labels = [("sink", name.description)]
        func gauge(_ label: String, _ more: [(String, String)] = []) -> Gauge { Gauge(label: label, dimensions: labels + more, factory: factory) }
        func counter(_ label: String) -> Counter { Counter(label: label, dimensions: labels, factory: factory) }
        passed = counter("weir_sink_passed_total")
        refused = counter("weir_sink_refused_total")
        aside = counter("weir_sink_laid_aside_total")
        backlog = gauge("weir_sink_backlog")
        lag = gauge("weir_sink_lag_ms")
        breaker = gauge("weir_sink_breaker")
        halted = gauge("weir_sink_halted_runs")
        letters = gauge("weir_sink_dead_letters")
        states = Dictionary(
            uniqueKeysWithValues: SinkHealth.State.allCases.map { ($0, gauge("weir_sink_state", [("state", $0.rawValue)])) })
    }

    /// Events that the filter let pass by.
    func passed(_ count: Int64) { if count > 0 { passed.increment(by: count) } }
    func refusedBatch() { refused.increment() }
    func laidAside() { aside.increment() }

    func show(_ progress: SinkProgress, _ report: SinkConsumerReport) {
        backlog.record(progress.backlog)
        lag.record(progress.lagMs)
        halted.record(progress.haltedRuns)
        letters.record(progress.letters)
        breaker.record(report.breaker == "closed" ? 0 : report.breaker == "open" ? 1 : 2)
        for (state, gauge) in states { gauge.record(state.rawValue == report.state ? 1 : 0) }
    }

    /// A sink that this worker does not run any more shows nothing.
    func end() {
        for gauge in [backlog, lag, breaker, halted, letters] + states.values { gauge.destroy() }
    }
}
