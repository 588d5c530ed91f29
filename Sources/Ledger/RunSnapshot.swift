public import Events

/// A page of the latest events of a run's keys, and where the run stood at that moment.
///
/// Keys are in order of (key sequence, key), keys as their UTF-8. A key that moves while somebody turns pages gets a higher sequence, so it is on a later page
/// again: whoever keeps the latest of each key, and follows the run from the first page's `lastSeq` on, has missed nothing.
public struct RunSnapshot: Hashable, Sendable {
    /// Behind which a page begins.
    public struct Place: Hashable, Sendable {
        public var keySequence: Int64
        public var key: String

        public init(keySequence: Int64, key: String) {
            self.keySequence = keySequence
            self.key = key
        }
    }

    public var state: RunSummary.State
    public var lastSeq: Int64
    /// One a key; a key whose latest event retention has dropped is left out.
    public var events: [LogEvent]
    /// Where the next page begins; nil: this was the last one.
    public var next: Place?
}
