public import Events

/// A sink's target: takes batches, and says when it has them.
///
/// Batches of one run come one after the other, those of several runs at the same time. What was taken and not yet marked comes again after a crash:
/// a writer whose target can tell drops the repeat, and the others say so in their documentation.
public protocol SinkWriter: Sendable {
    /// Returns when the target has the batch, durably where it can be durable.
    func deliver(_ batch: SinkBatch) async throws(DeliveryError)
    /// Ends connections; nothing is delivered any more.
    func close() async
}

/// Makes writers; a seam for tests.
public protocol SinkWriters: Sendable {
    /// Connects to nothing yet. Throws where this worker cannot run such a sink, in words for an operator.
    func writer(for sink: SinkDefinition) throws(SinkProblem) -> any SinkWriter
}
