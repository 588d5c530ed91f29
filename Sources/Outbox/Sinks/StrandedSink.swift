import Events
import Flow
import Ledger

/// A sink that is desired and that this worker cannot run: its settings mean nothing here, as a file that is not there.
struct StrandedSink: Sendable {
    let sink: RegisteredSink
    /// For an operator: which setting, and what is allowed.
    let problem: String
    let since: WallTime
    let metrics: SinkMetrics

    /// What is said in the place of a consumer.
    var report: SinkConsumerReport {
        SinkConsumerReport(
            sink: sink.name, generation: sink.generation, state: SinkHealth.State.cannotRun.rawValue, since: since, failures: 1, error: problem,
            errorAt: since)
    }
}
