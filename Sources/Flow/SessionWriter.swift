internal import DequeModule
public import Events

/// The ingester's side of a session: numbers entries densely for each shard, and keeps each until Redis acknowledged it and all before it.
///
/// Appends leave as ``Append`` values and come back through ``settle(_:_:)``. Where one fails or is half refused, the shard turns back to its first
/// unacknowledged `n` and everything from there is appended again, also what was taken behind the refused entry: the
/// reader drops repeats by `n`, but would wait for ever for an entry that stands only in front of its predecessor.
///
/// Several appends may be under way at once. Bounded: ``mustPause`` says when the reader has to stop; what was read is always kept.
/// A process that ends loses the session: the next one opens a session of its own at the committed watermark.
public struct SessionWriter: Sendable {
    /// How much may be unacknowledged before the reader pauses; it resumes at half of both.
    public struct Limits: Hashable, Sendable {
        public var entries: Int
        public var bytes: Int

        public init(entries: Int = 20_000, bytes: Int = 64 << 20) {
            self.entries = entries
            self.bytes = bytes
        }
    }

    /// One pipeline of appends: entries of each shard in order of `n`.
    public struct Append: Sendable {
        public var entries: [(shard: Shard, entry: UpstreamEntry)] = []
        public var bytes = 0
        /// Where each shard's entries stand among ``entries``: one run a shard.
        fileprivate var runs: [Run] = []
    }

    /// Entries of one shard, dense in `n`.
    fileprivate struct Run: Sendable {
        var shard: Shard
        /// Of the shard's queue; a result of an earlier turn says nothing.
        var turn: Int
        var firstN: Int64
        var indices: Range<Int>
    }

    public enum Outcome: Sendable {
        /// Every entry stands in its stream.
        case accepted
        /// Nothing is known (a cut connection, a time-out): all of it is appended again.
        case unknown
        /// For each entry of the append, in its order, whether it was taken.
        case each([Bool])
    }

    private struct Kept {
        var entry: UpstreamEntry
        var bytes: Int
        var taken = false
    }

    private struct Queue {
        /// From the first unacknowledged entry on.
        var kept = Deque<Kept>()
        /// How many of `kept` are under way or taken.
        var sent = 0
        /// The `n` of the first of `kept`.
        var firstN: Int64 = 0
        var turn = 0
        var shed = false
        /// Of the last barrier that was acknowledged with all before it.
        var acknowledgedBarrier: Position?

        var nextN: Int64 { firstN + Int64(kept.count) }
    }

    public let host: String
    public let session: Int64
    public let limits: Limits
    /// The upstream's last position that was taken or passed: what the next barrier says.
    public private(set) var position: Position
    public private(set) var unacknowledgedEntries = 0
    public private(set) var unacknowledgedBytes = 0
    /// The reader has to stop until this is false again.
    public private(set) var mustPause = false

    private var queues: [Queue]
    private var nextShard = 0

    /// Opens the session: the first entry of every shard is `open`.
    ///
    /// - Parameters:
    ///   - from: the position after which every message is in the session.
    ///   - gap: what the upstream no longer has in front of it.
    ///   - shards: the number of shards, at least 1.
    public init(host: String, session: Int64, from: Position, gap: UpstreamEntry.Gap? = nil, shards: Int, limits: Limits = Limits()) {
        self.host = host
        self.session = session
        self.limits = limits
        position = from
        queues = Array(repeating: Queue(), count: max(1, shards))
        for shard in queues.indices {
            enqueue(UpstreamEntry(host: host, session: session, n: 0, position: from, kind: .open, gap: gap), shard)
        }
    }

    /// Takes a message; `host`, `session` and `n` are set here. One of a shard that is shed is left out, and its next barrier says so.
    ///
    /// - Parameter heldBytes: what the caller keeps for the entry besides: a frame that does not stand in it.
    /// - Returns: its `n`; nil where it was left out.
    @discardableResult
    public mutating func take(_ entry: UpstreamEntry, shard: Shard, heldBytes: Int = 0) -> Int64? {
        passed(entry.position)
        guard !queues[shard].shed else { return nil }
        let n = queues[shard].nextN
        enqueue(entry, shard, heldBytes: heldBytes)
        return n
    }

    /// The `n` from which on a shard's entries may have to be appended again.
    public func firstUnacknowledged(_ shard: Shard) -> Int64 { queues[shard].firstN }

    /// A message of the upstream that belongs into no shard, so that barriers still move past it.
    public mutating func passed(_ position: Position) { self.position = max(self.position, position) }

    /// Puts a barrier at ``position`` behind what was taken, in every shard. To be called at least each second, also when idle or paused.
    ///
    /// A barrier that was never sent and still is the last of its shard is moved instead: a stalled Redis does not gather barriers.
    public mutating func barrier() {
        for shard in queues.indices {
            let queue = queues[shard]
            if let last = queue.kept.last, last.entry.kind == .barrier, queue.sent < queue.kept.count {
                queues[shard].kept[queue.kept.count - 1].entry.position = position
                queues[shard].kept[queue.kept.count - 1].entry.shed = queue.shed
            } else {
                enqueue(UpstreamEntry(host: host, session: session, n: 0, position: position, kind: .barrier, shed: queue.shed), shard)
            }
        }
    }

    /// From now on, messages of a shard that is halted at its quota are left out. Stays so for the rest of the session: what was left out
    /// comes again in a session of its own.
    public mutating func shed(_ shards: some Sequence<Shard>) {
        for shard in shards where queues.indices.contains(shard) { queues[shard].shed = true }
    }

    public var shedShards: Set<Shard> { Set(queues.indices.filter { queues[$0].shed }) }

    /// The position of the last barrier that every shard acknowledged: what the cursor hint may say. Nil before the first.
    public var acknowledgedBarrier: Position? {
        var least: Position?
        for queue in queues {
            guard let position = queue.acknowledgedBarrier else { return nil }
            least = min(least ?? position, position)
        }
        return least
    }

    /// What to append next, nil where nothing waits. At least one entry, at most `maxEntries`, and no second one above `maxBytes`.
    public mutating func next(maxEntries: Int = 1_000, maxBytes: Int = 4 << 20) -> Append? {
        var append = Append()
        let first = nextShard
        for offset in queues.indices {
            let shard = (first + offset) % queues.count
            guard queues[shard].sent < queues[shard].kept.count else { continue }
            if add(shard, to: &append, maxEntries, maxBytes) { continue }
            nextShard = shard
            break
        }
        return append.entries.isEmpty ? nil : append
    }

    /// Adds what waits of a shard; false where not all of it found room.
    private mutating func add(_ shard: Shard, to append: inout Append, _ maxEntries: Int, _ maxBytes: Int) -> Bool {
        let start = append.entries.count
        let (from, count) = (queues[shard].sent, queues[shard].kept.count)
        var place = from
        while place < count {
            let bytes = queues[shard].kept[place].bytes
            let isFull = append.entries.count >= maxEntries || append.bytes + bytes > maxBytes
            if isFull, !append.entries.isEmpty { break }
            append.entries.append((shard, queues[shard].kept[place].entry))
            append.bytes += bytes
            place += 1
        }
        queues[shard].sent = place
        if place > from {
            let firstN = queues[shard].firstN + Int64(from)
            append.runs.append(Run(shard: shard, turn: queues[shard].turn, firstN: firstN, indices: start..<append.entries.count))
        }
        return place == count
    }

    /// Takes the result of an append. True where all of it is acknowledged; else the rest comes again from ``next(maxEntries:maxBytes:)``, after
    /// the caller's back-off.
    @discardableResult
    public mutating func settle(_ append: Append, _ outcome: Outcome) -> Bool {
        var isWhole = true
        for run in append.runs where run.turn == queues[run.shard].turn {
            let hasFailed = mark(run, outcome)
            release(run.shard)
            guard hasFailed else { continue }
            isWhole = false
            queues[run.shard].turn += 1
            queues[run.shard].sent = 0
            for place in queues[run.shard].kept.indices { queues[run.shard].kept[place].taken = false }
        }
        updatePause()
        return isWhole
    }

    /// Notes which entries of a run were taken; true where some were not.
    private mutating func mark(_ run: Run, _ outcome: Outcome) -> Bool {
        var hasFailed = false
        let offset = Int(run.firstN - queues[run.shard].firstN) - run.indices.lowerBound
        for index in run.indices {
            guard Self.taken(outcome, index) else {
                hasFailed = true
                continue
            }
            let place = index + offset
            if place >= 0, place < queues[run.shard].kept.count { queues[run.shard].kept[place].taken = true }
        }
        return hasFailed
    }

    private static func taken(_ outcome: Outcome, _ index: Int) -> Bool {
        switch outcome {
        case .accepted: true
        case .unknown: false
        case .each(let results): index < results.count && results[index]
        }
    }

    /// Lets go of what is acknowledged with everything before it.
    private mutating func release(_ shard: Shard) {
        var count = 0
        while count < queues[shard].kept.count, queues[shard].kept[count].taken {
            if queues[shard].kept[count].entry.kind == .barrier {
                queues[shard].acknowledgedBarrier = queues[shard].kept[count].entry.position
            }
            unacknowledgedBytes -= queues[shard].kept[count].bytes
            count += 1
        }
        queues[shard].kept.removeFirst(count)
        queues[shard].firstN += Int64(count)
        queues[shard].sent -= count
        unacknowledgedEntries -= count
    }

    private mutating func enqueue(_ entry: UpstreamEntry, _ shard: Shard, heldBytes: Int = 0) {
        var entry = entry
        entry.host = host
        entry.session = session
        entry.n = queues[shard].nextN
        let bytes = entry.approximateBytes + heldBytes
        queues[shard].kept.append(Kept(entry: entry, bytes: bytes))
        unacknowledgedEntries += 1
        unacknowledgedBytes += bytes
        updatePause()
    }

    private mutating func updatePause() {
        if unacknowledgedEntries >= limits.entries || unacknowledgedBytes >= limits.bytes {
            mustPause = true
        } else if unacknowledgedEntries <= limits.entries / 2, unacknowledgedBytes <= limits.bytes / 2 {
            mustPause = false
        }
    }
}
