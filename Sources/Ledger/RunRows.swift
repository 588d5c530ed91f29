internal import Events
internal import PostgresClient

/// Events as rows of the log but for what only the run's row can say: encoded ahead of it, in the memory of one batch.
struct RunRows: Sendable {
    private var values: BinaryValues
    /// Where each row's values end.
    private var ends: [Int] = []

    init(_ events: [LogEvent]) {
        values = BinaryValues(reserving: events.reduce(0) { $0 + $1.body.count + 384 })
        ends.reserveCapacity(events.count)
        for event in events {
            values.text(event.kind.rawValue)
            values.text(event.did.storable)
            values.text(event.rev.storable)
            values.text(event.collection.storable)
            values.text(event.rkey.storable)
            values.text(event.action?.rawValue ?? "")
            values.text(event.cid.storable)
            values.value(event.live)
            values.text(event.host.storable)
            values.text(event.time.storable)
            values.text(event.mark.storable)
            values.bytea(event.body)
            ends.append(values.count)
        }
    }

    var count: Int { ends.count }

    /// The input of `commit_copy_events.sql`; seqs are contiguous from `first`.
    func copy(run: Int32, first: Int64, day: PostgresDate, loggedAt: PostgresTimestamp) -> BinaryCopyWriter {
        var copy = BinaryCopyWriter(columnCount: 16)
        var start = 0
        for (index, end) in ends.enumerated() {
            copy.beginRow()
            copy.value(run)
            copy.value(first + Int64(index))
            copy.value(day)
            copy.value(loggedAt)
            copy.values(values, in: start..<end)
            start = end
        }
        return copy
    }
}
