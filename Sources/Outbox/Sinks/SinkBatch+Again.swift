public import Events
import Flow

extension SinkBatch {
    /// Batches of events that are delivered again beside the run's cursor, which stays: each is told as one that comes out of order, so that a target that
    /// knows how far it is takes it all the same.
    ///
    /// - Parameter events: of one run, in order of seq; what the sink does not want is left out.
    public static func again(_ events: some Sequence<LogEvent>, run: RunID, for sink: SinkDefinition) -> [SinkBatch] {
        let items = events.filter(sink.wants).map { Item(event: $0, bytes: sink.format.render($0) ?? []) }
        return DeliveryCut.ranges(items.map(\.bytes.count), events: sink.batch.events, bytes: sink.batch.bytes).map { range in
            let part = Array(items[range])
            return SinkBatch(
                sink: sink.name, run: run, epoch: 0, items: part, from: part.first?.event.seq ?? 0, through: part.last?.event.seq ?? 0, isAlone: true)
        }
    }
}
