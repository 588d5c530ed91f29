/// What an application appended stands in the columns of a record: the type as the collection, the key as the rkey, the key's sequence as the rev.
extension LogEvent {
    /// Of an application's event; empty at other kinds.
    public var type: String { kind == .event ? collection : "" }
    /// Of an application's event; empty where it has none, and at other kinds.
    public var key: String { kind == .event ? rkey : "" }
    /// Higher than that of each earlier event of the key in the run; nil where the event has no key.
    public var keySequence: Int64? { kind == .event ? Int64(rev) : nil }

    /// An application's event with the key's sequence that it got; nil where it has no key.
    public init(_ event: ApplicationEvent, run: RunID, keySequence: Int64?) {
        self.init(
            run: run, seq: 0, kind: .event, did: "", rev: keySequence.map(String.init) ?? "", collection: event.type, rkey: event.key,
            body: event.payload)
    }
}
