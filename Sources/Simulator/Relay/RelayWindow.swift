import DequeModule

/// The messages that a relay can still replay, oldest first, bounded in entries and bytes.
///
/// Places count from the first message ever and never turn back: a reader that stands before ``start`` has lost what it did not read.
struct RelayWindow: Sendable {
    enum Content: Sendable {
        case message(SentMessage)
        case raw([UInt8])
    }

    struct Entry: Sendable {
        var seq: Int64
        var content: Content
        /// Bytes of all messages before this one, ever.
        var bytesBefore: Int

        /// The frame as it goes to the socket, without WebSocket framing.
        var frame: [UInt8] {
            switch content {
            case .message(let message): message.event.body.frame(seq: seq, time: message.time)
            case .raw(let bytes): bytes
            }
        }

        var byteCountMax: Int {
            switch content {
            case .message(let message): message.event.body.frameBytesMax
            case .raw(let bytes): bytes.count
            }
        }
    }

    private var entries = Deque<Entry>()
    private let entriesMax: Int
    private let bytesMax: Int
    /// Place of the oldest message that is kept.
    private(set) var start = 0
    /// Bytes of all messages ever.
    private(set) var bytesTotal = 0
    /// The last number given; 0 before the first.
    private(set) var lastSeq: Int64 = 0
    /// The last number that is no longer kept; 0 where all are.
    private(set) var discardedSeq: Int64 = 0

    init(entriesMax: Int, bytesMax: Int) {
        self.entriesMax = entriesMax
        self.bytesMax = bytesMax
    }

    /// Place after the newest message.
    var end: Int { start + entries.count }
    var count: Int { entries.count }
    var oldestSeq: Int64? { entries.first?.seq }
    var bytes: Int { bytesTotal - (entries.first?.bytesBefore ?? bytesTotal) }

    subscript(place: Int) -> Entry { entries[place - start] }

    /// Bytes from a place to the end.
    func bytes(from place: Int) -> Int {
        place >= end ? 0 : bytesTotal - self[max(place, start)].bytesBefore
    }

    /// Appends a message, then gives up the oldest beyond the bounds; the newest is always kept.
    mutating func append(seq: Int64, _ content: Content) {
        let entry = Entry(seq: seq, content: content, bytesBefore: bytesTotal)
        bytesTotal += entry.byteCountMax
        lastSeq = seq
        entries.append(entry)
        while entries.count > 1, entries.count > entriesMax || bytes > bytesMax {
            discardedSeq = entries.removeFirst().seq
            start += 1
        }
    }

    /// Gives up everything; returns it. Numbers go on.
    mutating func forget() -> [Entry] {
        let gone = Array(entries)
        start = end
        entries.removeAll()
        discardedSeq = lastSeq
        return gone
    }

    /// Gives up everything, the numbering too; returns what there was. Places go on.
    mutating func renumber() -> [Entry] {
        let gone = forget()
        lastSeq = 0
        discardedSeq = 0
        return gone
    }

    /// Where a reader begins that asks for messages from a cursor on.
    func opening(cursor: Int64?, inclusive: Bool) -> Opening {
        guard let cursor else { return Opening(place: end, state: .live) }
        if cursor > lastSeq { return Opening(place: end, state: .future) }
        // 0 asks for the oldest, whatever it is.
        let wanted = inclusive ? cursor : cursor + 1
        let outdated = cursor > 0 && discardedSeq >= wanted
        var low = start
        var high = end
        while low < high {
            let middle = (low + high) / 2
            if self[middle].seq < wanted { low = middle + 1 } else { high = middle }
        }
        return Opening(place: low, state: outdated ? .outdated : .replay)
    }

    struct Opening: Hashable, Sendable {
        enum State: Hashable, Sendable { case live, replay, outdated, future }
        var place: Int
        var state: State
    }
}
