import Events

@testable import Flow

/// One ingester process of the model: it reads a relay and appends through a real ``SessionWriter``. A zombie is one whose session is not current any more.
struct ModelIngester {
    let relay: Int
    let session: Int64
    let epoch: Int32
    var writer: SessionWriter
    /// Index of the next message to read.
    var next: Int
    var underWay: [(append: SessionWriter.Append, outcome: SessionWriter.Outcome)] = []
    /// A cursor hint that was decided on and is not written yet.
    var hint: Position?

    init(relay: Int, session: Int64, from: Position, gap: UpstreamEntry.Gap?, shards: Int, next: Int) {
        self.relay = relay
        self.session = session
        self.next = next
        epoch = from.epoch
        let limits = SessionWriter.Limits(entries: 16 + 2 * shards, bytes: 1 << 20)
        writer = SessionWriter(host: relay == 0 ? "a" : "b", session: session, from: from, gap: gap, shards: shards, limits: limits)
    }

    mutating func read(_ source: ModelRelay, upTo count: Int, shards: Int) {
        var left = count
        while left > 0, !writer.mustPause, next < source.history.count {
            let message = source.history[next]
            // The connection of an old numbering ended with it.
            guard message.position.epoch == epoch else { return }
            writer.take(
                UpstreamEntry(
                    host: "", session: 0, n: 0, position: message.position, kind: .commit, did: ModelHistory.names[message.key],
                    rev: ModelHistory.names[message.rev]), shard: message.key % shards)
            next += 1
            left -= 1
        }
    }
}
