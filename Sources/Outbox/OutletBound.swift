import Events

/// How many entries an outlet may keep so that it stays within its bounds in entries and in bytes.
///
/// Redis trims by count, so the bound in bytes is kept by the average size of an entry: each batch moves it by an eighth.
/// A batch of larger events therefore takes some batches to be felt; the bound is an estimate, never exceeded for long.
struct OutletBound: Hashable, Sendable {
    let entries: Int
    let bytes: Int
    private var averageBytes: Double?

    init(entries: Int, bytes: Int) {
        self.entries = entries
        self.bytes = bytes
    }

    /// Takes a batch into account and says how many entries to keep; at least the batch itself.
    mutating func keep(after batch: [LogEvent]) -> Int {
        guard !batch.isEmpty else { return entries }
        let size = Double(batch.reduce(0) { $0 + Self.size(of: $1) }) / Double(batch.count)
        let average = averageBytes.map { $0 + (size - $0) / 8 } ?? size
        averageBytes = average
        let fitting = Int(Double(bytes) / max(average, 1))
        return max(batch.count, min(entries, fitting))
    }

    /// Body and texts, and what an entry costs Redis beyond them.
    private static func size(of event: LogEvent) -> Int {
        event.body.count + event.did.utf8.count + event.rkey.utf8.count + event.collection.utf8.count + event.cid.utf8.count + 160
    }
}
