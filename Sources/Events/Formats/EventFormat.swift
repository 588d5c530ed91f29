/// The shapes in which a client can ask for events.
///
/// `weir` says everything the log has. `jetstream` and `tap` are the shapes of two systems that applications already read,
/// so that a client needs no change; kinds that such a shape has no word for are left out of it:
///
/// | kind | weir | jetstream | tap |
/// |---|---|---|---|
/// | record | yes | `commit` | `record` |
/// | identity | yes | `identity` | `identity` |
/// | account | yes | `account` | `identity` |
/// | sync, label, progress, event, terminal | yes | left out | left out |
public enum EventFormat: String, Hashable, Sendable, CaseIterable {
    case weir, jetstream, tap

    /// Whether the shape has a word for a kind.
    public func includes(_ kind: LogEvent.Kind) -> Bool {
        switch kind {
        case .record, .identity, .account: true
        case .sync, .label, .progress, .event, .terminal: self == .weir
        }
    }

    /// Appends the event as one JSON object; false, and nothing is appended, where the shape has no word for its kind.
    ///
    /// The event's body is embedded as it is and never re-encoded, so integers beyond 2^53 and `\u0000` stay what they were. The
    /// object has no line break unless the body has one.
    public func append(_ event: LogEvent, to bytes: inout [UInt8]) -> Bool {
        guard includes(event.kind) else { return false }
        var json = JSONWriter(appendingTo: bytes)
        // The writer now holds the only reference, so that appending does not copy what is there.
        bytes = []
        switch self {
        case .weir: Self.writeWeir(event, to: &json)
        case .jetstream: Self.writeJetstream(event, to: &json)
        case .tap: Self.writeTap(event, to: &json)
        }
        bytes = json.take()
        return true
    }

    /// The event as one JSON object; nil where the shape has no word for its kind.
    public func render(_ event: LogEvent) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(event.body.count + 512)
        return append(event, to: &bytes) ? bytes : nil
    }
}
