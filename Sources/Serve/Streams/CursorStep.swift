import Events

/// What a reader at a seq may take of events that were read for it: the rule "deliver only last + 1", without I/O.
enum CursorStep: Hashable, Sendable {
    /// These follow; what is at or below the cursor was left out.
    case deliver([LogEvent])
    /// Something is missing before `next`: another source must be asked for what is in front of it.
    case hole(next: Int64)
    /// Nothing above the cursor.
    case nothing

    /// - Parameter events: in order of seq; may begin at or below the cursor and may have holes.
    init(after cursor: Int64, events: [LogEvent]) {
        guard let first = events.firstIndex(where: { $0.seq > cursor }) else {
            self = .nothing
            return
        }
        guard events[first].seq == cursor + 1 else {
            self = .hole(next: events[first].seq)
            return
        }
        var end = first + 1
        while end < events.count, events[end].seq == events[end - 1].seq + 1 { end += 1 }
        self = .deliver(end - first == events.count ? events : Array(events[first..<end]))
    }
}
