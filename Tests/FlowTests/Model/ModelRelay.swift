import Events

/// A relay of the model: its own numbering of every key's revs, a window of what it still has, and resets that begin a new epoch.
struct ModelRelay {
    struct Message {
        var position: Position
        var key: Int
        var rev: Int
    }

    /// Revs of a key are 1 to `revs`; a bit of a `UInt64` stands for each.
    static let revs = 12

    /// All that was ever sent, over all epochs.
    private(set) var history: [Message] = []
    private(set) var epoch: Int32 = 1
    private var lastRev: [Int]
    private var lastSeq: Int64 = 0
    /// The relay no longer has what is before this index.
    private(set) var windowStart = 0

    init(keys: Int) { lastRev = Array(repeating: 0, count: keys) }

    var last: Position { Position(epoch: epoch, seq: lastSeq) }

    /// Sends one more message of a random key; false where all is sent.
    mutating func emit(_ random: inout SplitMix64) -> Bool {
        let first = random.below(lastRev.count)
        for offset in lastRev.indices {
            let key = (first + offset) % lastRev.count
            guard lastRev[key] < Self.revs else { continue }
            lastRev[key] += 1
            lastSeq += Int64(1 + random.below(3))
            history.append(Message(position: last, key: key, rev: lastRev[key]))
            return true
        }
        return false
    }

    /// Numbers anew; what was not read of the old numbering cannot be had any more.
    mutating func reset() {
        epoch += 1
        lastSeq = 0
        windowStart = history.count
    }

    mutating func forget(_ count: Int) { windowStart = min(history.count, windowStart + count) }

    /// From where a session that asks for `position` really starts, and what is lost in front of it.
    func resume(after position: Position) -> (from: Position, gap: UpstreamEntry.Gap?) {
        var start = position
        if position.epoch < epoch { start = Position(epoch: epoch, seq: 0) }
        if windowStart > 0 {
            let forgotten = history[windowStart - 1].position
            if forgotten.epoch == epoch { start = max(start, forgotten) }
        }
        return start > position ? (start, UpstreamEntry.Gap(after: position, through: start)) : (position, nil)
    }

    /// The index of the first message after `position`.
    func index(after position: Position) -> Int {
        var (low, high) = (0, history.count)
        while low < high {
            let middle = (low + high) / 2
            if history[middle].position <= position { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
