import Events

/// Which events a client wants, and in which shape.
struct EventSelection: Hashable, Sendable {
    var format: EventFormat = .weir
    var filter: EventFilter = .all

    /// Whether an event is delivered; a terminal event is always, since without it a reader would wait for ever.
    func delivers(_ event: LogEvent) -> Bool {
        event.kind == .terminal || (format.includes(event.kind) && filter.matches(event))
    }
}
