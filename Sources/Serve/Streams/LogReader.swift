import Events
import Ledger

/// Reads a run on from a seq: the outlet first, Postgres for what the outlet does not have, and a gap for what neither has.
///
/// There is one cursor and no hand-over: every step begins at the same seq, whichever source answers it.
struct LogReader: Sendable {
    let store: any LogStore
    let outlet: any OutletReader
    /// The sink whose `next_seq` says what is published.
    let sink: String
    /// Events a step at most.
    var eventsMax = 256
    /// Bytes of bodies a step at most, about.
    var bytesMax = 256 << 10

    struct Step: Sendable {
        var items: [StreamItem] = []
        /// Nothing is above the cursor, as Postgres says: wait for the outlet.
        var isCaughtUp = false
        var source = Source.outlet

        enum Source: String, Sendable { case outlet, log }
    }

    func step(run: RunID, after cursor: Int64) async throws(LedgerError) -> Step {
        var published: [LogEvent] = []
        do {
            published = try await outlet.read(run: run, after: cursor, count: eventsMax)
        } catch {
            // Redis may burn: what it does not say, Postgres does.
        }
        switch CursorStep(after: cursor, events: published) {
        case .deliver(let events): return Step(items: within(bytesMax, events))
        case .hole(let next): return try await fromLog(run: run, after: cursor, before: next)
        case .nothing:
            guard let summary = try await store.run(run) else { return Step(isCaughtUp: true, source: .log) }
            // Not next_seq: an event that is committed and not yet published may be delivered, and a reader that another has passed is never stuck.
            if summary.lastSeq <= cursor { return Step(isCaughtUp: true, source: .log) }
            return try await fromLog(run: run, after: cursor, before: summary.lastSeq + 1)
        }
    }

    /// - Parameter end: the first seq that is known to be elsewhere; at least cursor + 2.
    private func fromLog(run: RunID, after cursor: Int64, before end: Int64) async throws(LedgerError) -> Step {
        let events = try await store.events(run: run, after: cursor, limit: eventsMax, maxBytes: bytesMax)
        switch CursorStep(after: cursor, events: events) {
        case .deliver(let events): return Step(items: events.map(StreamItem.event), source: .log)
        case .hole(let next): return Step(items: [gap(run, cursor + 1, min(next, end) - 1)], source: .log)
        case .nothing: return Step(items: [gap(run, cursor + 1, end - 1)], source: .log)
        }
    }

    private func gap(_ run: RunID, _ from: Int64, _ to: Int64) -> StreamItem {
        .gap(StreamGap(run: run, from: from, to: to, why: "the log no longer has them"))
    }

    private func within(_ bytes: Int, _ events: [LogEvent]) -> [StreamItem] {
        var items: [StreamItem] = []
        items.reserveCapacity(events.count)
        var size = 0
        for event in events {
            let item = StreamItem.event(event)
            size += item.size
            if size > bytes, !items.isEmpty { break }
            items.append(item)
        }
        return items
    }
}
