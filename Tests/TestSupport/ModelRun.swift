public import Events

/// What a run of an application must be, told by looking through all that it ever took: the model of the append.
public struct ModelRun: Sendable {
    public struct Entry: Hashable, Sendable {
        public var seq: Int64
        public var event: ApplicationEvent
        public var keySequence: Int64?
    }

    public enum Outcome: Hashable, Sendable {
        case seqs([Int64])
        case ended
        case conflict(lastSeq: Int64)
        case regressing(index: Int, last: Int64)
    }

    public private(set) var log: [Entry] = []
    public private(set) var isEnded = false

    public init() {}

    public var lastSeq: Int64 { Int64(log.count) + (isEnded ? 1 : 0) }

    public mutating func end() { isEnded = true }

    public mutating func append(_ events: [ApplicationEvent], expectedSeq: Int64?) -> Outcome {
        var next = log
        var seqs: [Int64] = []
        for (index, event) in events.enumerated() {
            if let had = next.first(where: { !event.dedupKey.isEmpty && Self.same($0.event.dedupKey, event.dedupKey) }) {
                seqs.append(had.seq)
                continue
            }
            if isEnded { return .ended }
            if let expectedSeq, expectedSeq != lastSeq { return .conflict(lastSeq: lastSeq) }
            var keySequence: Int64?
            if !event.key.isEmpty {
                let last = next.filter { Self.same($0.event.key, event.key) }.compactMap(\.keySequence).max()
                if let given = event.keySequence {
                    if let last, given <= last { return .regressing(index: index, last: last) }
                    keySequence = given
                } else {
                    if last == .max { return .regressing(index: index, last: .max) }
                    keySequence = (last ?? 0) + 1
                }
            }
            let seq = Int64(next.count) + 1
            next.append(Entry(seq: seq, event: event, keySequence: keySequence))
            seqs.append(seq)
        }
        log = next
        return .seqs(seqs)
    }

    /// `replay` of all events that have a key: of each key the one with the highest sequence, in order of (sequence, key).
    public var snapshot: [Entry] {
        var latest: [[UInt8]: Entry] = [:]
        for entry in log where !entry.event.key.isEmpty {
            let key = Array(entry.event.key.utf8)
            if let had = latest[key], (had.keySequence ?? 0) > (entry.keySequence ?? 0) { continue }
            latest[key] = entry
        }
        return latest.values.sorted { a, b in
            if a.keySequence != b.keySequence { return (a.keySequence ?? 0) < (b.keySequence ?? 0) }
            return a.event.key.utf8.lexicographicallyPrecedes(b.event.key.utf8)
        }
    }

    /// Texts that look alike are not the same.
    private static func same(_ a: String, _ b: String) -> Bool { a.utf8.elementsEqual(b.utf8) }
}

extension ApplicationEvent {
    /// One of few keys and dedup keys, so that they meet: among them some that look alike, hold separators, or stand beyond the basic plane.
    public static func random(_ generator: inout some RandomNumberGenerator, number: Int) -> ApplicationEvent {
        let keys = ["", "", "a", "b", "a/b", "a:b", "e\u{301}", "\u{E9}", "🌊", "\u{FFFD}", "a\u{1F}b"]
        let key = keys[Int.random(in: 0..<keys.count, using: &generator)]
        var sequence: Int64?
        if !key.isEmpty, Bool.random(using: &generator) {
            // Mostly one that goes on, sometimes one that falls, and both ends of what there is.
            let choices: [Int64] = [Int64(number), Int64(number), Int64(number), Int64(number / 2), 0, Int64.max - 1, Int64.max]
            sequence = choices[Int.random(in: 0..<choices.count - (Int.random(in: 0..<8, using: &generator) == 0 ? 0 : 2), using: &generator)]
        }
        let dedup = Int.random(in: 0..<3, using: &generator) == 0 ? "d\(Int.random(in: 0...number / 2 + 3, using: &generator))" : ""
        return ApplicationEvent(
            type: "t.\(number % 3)", key: key, keySequence: sequence, dedupKey: dedup, payload: Array("{\"n\":\(number)}".utf8))
    }
}
