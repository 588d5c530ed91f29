public import Events

/// What an append of an application's events to a run comes to, decided under the lock of the run's row, which keeps what is known of it still.
///
/// An event whose dedup key the run has had is a repeat: it gets the seq that it was given the first time, and nothing else of it is looked at. So an append
/// that is repeated as a whole is answered as it was, also after the run has ended and whatever it expects. The others are new: all of them are
/// appended, contiguously, or none.
public struct AppendPlan: Hashable, Sendable {
    /// What the run knows of an append's keys. Keys are their UTF-8: texts that look alike are not one key.
    public struct Known: Hashable, Sendable {
        public var isStarted: Bool
        /// 0 while empty.
        public var lastSeq: Int64
        /// Those of the append's dedup keys that the run has had, with their seqs.
        public var dedupKeys: [[UInt8]: Int64]
        /// The last sequence of those of the append's keys that the run has had.
        public var keys: [[UInt8]: Int64]

        public init(isStarted: Bool, lastSeq: Int64, dedupKeys: [[UInt8]: Int64] = [:], keys: [[UInt8]: Int64] = [:]) {
            self.isStarted = isStarted
            self.lastSeq = lastSeq
            self.dedupKeys = dedupKeys
            self.keys = keys
        }
    }

    public enum Refusal: Error, Hashable, Sendable {
        /// The run takes nothing any more.
        case ended
        /// The run's last seq is another one than was expected.
        case conflict(lastSeq: Int64)
        /// An event's key sequence is not above the key's last one.
        case regressing(index: Int, last: Int64)
    }

    /// An event that is new, by its place in the append.
    public struct Fresh: Hashable, Sendable {
        public var index: Int
        public var seq: Int64
        /// Nil where the event has no key.
        public var keySequence: Int64?
    }

    /// The latest new event of a key.
    public struct KeyHead: Hashable, Sendable {
        public var key: [UInt8]
        public var sequence: Int64
        public var seq: Int64
    }

    /// Of every event of the append, in its order.
    public private(set) var seqs: [Int64] = []
    /// In order of seq, contiguous behind the run's last one.
    public private(set) var fresh: [Fresh] = []
    /// Dedup keys that the run gets, with their seqs.
    public private(set) var dedupKeys: [[UInt8]: Int64] = [:]
    /// Each key once.
    public private(set) var keyHeads: [[UInt8]: KeyHead] = [:]

    /// - Parameter expectedSeq: the seq that must be the run's last one where anything is appended; nil: any.
    public init(_ events: [ApplicationEvent], known: Known, expectedSeq: Int64?) throws(Refusal) {
        seqs.reserveCapacity(events.count)
        for (index, event) in events.enumerated() {
            if let seq = seq(ofRepeated: event, known) {
                seqs.append(seq)
                continue
            }
            guard known.isStarted else { throw .ended }
            if let expectedSeq, expectedSeq != known.lastSeq { throw .conflict(lastSeq: known.lastSeq) }
            let seq = known.lastSeq + Int64(fresh.count) + 1
            fresh.append(Fresh(index: index, seq: seq, keySequence: try sequence(event, at: index, seq: seq, known)))
            if !event.dedupKey.isEmpty { dedupKeys[Array(event.dedupKey.utf8)] = seq }
            seqs.append(seq)
        }
    }

    private func seq(ofRepeated event: ApplicationEvent, _ known: Known) -> Int64? {
        guard !event.dedupKey.isEmpty else { return nil }
        let key = Array(event.dedupKey.utf8)
        return known.dedupKeys[key] ?? dedupKeys[key]
    }

    private mutating func sequence(_ event: ApplicationEvent, at index: Int, seq: Int64, _ known: Known) throws(Refusal) -> Int64? {
        guard !event.key.isEmpty else { return nil }
        let key = Array(event.key.utf8)
        let last = keyHeads[key]?.sequence ?? known.keys[key]
        let given = event.keySequence ?? (last ?? 0).addingReportingOverflow(1).partialValue
        if let last, given <= last { throw .regressing(index: index, last: last) }
        keyHeads[key] = KeyHead(key: key, sequence: given, seq: seq)
        return given
    }
}
