/// Tells the first sight of each (id, sequence) from its repeats, over any number of streams: three sequences of one id are three events.
///
/// Holds for each id the ranges that its sequences fill, so a stream without holes costs one range an id. It forgets nothing: who feeds it without end
/// gives it ids that end.
public struct Dedup<ID: Hashable> {
    private var seen: [ID: SequenceSet] = [:]

    public init() {}

    /// Whether this (id, sequence) was not given before.
    public mutating func isNew(_ id: ID, _ sequence: Int64) -> Bool { seen[id, default: SequenceSet()].insert(sequence) }

    /// Ranges that are held, over all ids.
    public var rangeCount: Int { seen.values.reduce(0) { $0 + $1.ranges.count } }
}

extension Dedup: Sendable where ID: Sendable {}

extension Dedup where ID: Comparable {
    /// Each event of the streams once, in order of sequence, then id: the same for every order of the streams and of what is in them.
    public static func merge<Event: ReplayEvent>(_ streams: some Sequence<some Sequence<Event>>) -> [Event] where Event.ID == ID {
        var events: [EventKey<ID>: Event] = [:]
        for stream in streams {
            for event in stream {
                if let known = events[event.key], !event.outranks(known) { continue }
                events[event.key] = event
            }
        }
        return events.sorted { $0.key < $1.key }.map(\.value)
    }
}
