public import Events
import Flow
public import Outbox

/// A sink of the registry, as a replay's target: its filter, form and batches hold, its cursors stay where they are.
///
/// What fails and may go well later is tried again as often as the sink's `attempts` say; what it refuses ends the replay, which can be gone on with.
public struct RegisteredSinkTarget: ReplaySink {
    private let definition: SinkDefinition
    private let writer: any SinkWriter

    public init(definition: SinkDefinition, writer: any SinkWriter) {
        self.definition = definition
        self.writer = writer
    }

    public func deliver(_ events: [LogEvent]) async throws {
        guard let run = events.first?.run else { return }
        for batch in SinkBatch.again(events, run: run, for: definition) { try await deliver(batch) }
    }

    /// A writer returns when its target has a batch.
    public func settle() async throws {}

    private func deliver(_ batch: SinkBatch) async throws {
        var retry = RetryPolicy(limits: RetryPolicy.Limits(base: .milliseconds(250), cap: definition.retryCap))
        var generator = SystemRandomNumberGenerator()
        while true {
            do {
                return try await writer.deliver(batch)
            } catch {
                guard case .transient(let wait) = error.code, retry.failures + 1 < definition.attempts else {
                    if case .cancelled = error.code { try Task.checkCancellation() }
                    throw FleetError(
                        code: .refused,
                        message: "sink \(definition.name) did not take \(batch.firstSeq) to \(batch.lastSeq) of \(batch.run): \(error)")
                }
                try await Task.sleep(for: retry.failed(at: .zero, retryAfter: wait, using: &generator))
            }
        }
    }
}
