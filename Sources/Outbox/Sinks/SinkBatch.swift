public import Events

/// Events of one run that go to a sink together, in order.
public struct SinkBatch: Sendable {
    /// One event as it is written.
    public struct Item: Sendable {
        public var event: LogEvent
        /// In the sink's form, without a line break at its end.
        public var bytes: [UInt8]
    }

    public var sink: SinkName
    public var run: RunID
    /// How often an operator has set the run's cursor in this sink.
    public var epoch: Int32
    /// At least one.
    public var items: [Item]
    /// The cursor before: what is below was delivered, or was not wanted.
    public var from: Int64
    /// Where the cursor stands when the batch is delivered: behind the last event, or behind those that follow it and are not wanted.
    public var through: Int64
    /// An event that was laid aside and is offered again, out of order: the run's cursor says nothing of it, and stays.
    public var isAlone = false

    public var firstSeq: Int64 { items.first?.event.seq ?? from }
    public var lastSeq: Int64 { items.last?.event.seq ?? through }
    public var bytes: Int { items.reduce(0) { $0 + $1.bytes.count } }
}
