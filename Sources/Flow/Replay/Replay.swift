/// What is left of events when only the last of each id counts: one pass, and the same for every order of the input and any repeats in it.
///
/// Holds one event for each id.
public struct Replay<Event: ReplayEvent> {
    private var latest: [Event.ID: Event] = [:]
    /// Ids whose highest sequence came with different contents: somebody's corruption. The one that outranks the others is kept.
    public private(set) var conflicts: Set<Event.ID> = []

    public init() {}

    /// The whole of it for events that are here.
    public static func replay(_ events: some Sequence<Event>) -> [Event] {
        var replay = Replay()
        for event in events { replay.add(event) }
        return replay.events
    }

    public mutating func add(_ event: Event) {
        guard let known = latest[event.id], known.sequence >= event.sequence else {
            latest[event.id] = event
            conflicts.remove(event.id)
            return
        }
        guard known.sequence == event.sequence, known != event else { return }
        conflicts.insert(event.id)
        if event.outranks(known) { latest[event.id] = event }
    }

    public var count: Int { latest.count }

    /// For each id the event with the highest sequence, in order of sequence, then id.
    public var events: [Event] { latest.values.sorted { $0.key < $1.key } }
}

extension Replay: Sendable where Event: Sendable, Event.ID: Sendable {}
