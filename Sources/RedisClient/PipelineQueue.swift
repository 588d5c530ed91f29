import DequeModule

/// Decides which batches of a connection are on the wire and which wait, and whose reply each reply is. No I/O, no clock.
///
/// Redis answers in the order of the commands, so the oldest batch on the wire owns the next reply.
struct PipelineQueue<Payload> {
    struct Entry {
        let id: UInt64
        let commandCount: Int
        let byteCount: Int
        let payload: Payload
        var answered: [RedisValue] = []
    }

    enum SubmitAction {
        case write(Entry)
        case wait
        /// Too many wait already.
        case refuse(Entry)
    }

    enum ReceiveAction {
        /// The batch has more replies to come.
        case more
        /// The batch is answered, and these may go on the wire now.
        case completed(Entry, write: [Entry])
        /// A reply that nothing asked for: the connection cannot be trusted any more.
        case unsolicited
    }

    enum AbandonAction {
        /// Answered already.
        case nothing
        /// It was never sent.
        case drop(Entry)
        /// Its replies will still come, and nobody may take them for another batch's: close the connection.
        case close
    }

    private let batchesMax: Int
    private let bytesMax: Int
    private let waitingMax: Int
    private var onWire: Deque<Entry> = []
    /// Of the first on the wire, which is not touched until it has all of them: it would be copied at each reply.
    private var answered: [RedisValue] = []
    private var unanswered = 0
    private var bytesOnWire = 0
    private var waiting: Deque<Entry> = []

    init(batchesMax: Int, bytesMax: Int, waitingMax: Int) {
        self.batchesMax = batchesMax
        self.bytesMax = bytesMax
        self.waitingMax = waitingMax
    }

    var isIdle: Bool { onWire.isEmpty && waiting.isEmpty }

    mutating func submit(_ entry: Entry) -> SubmitAction {
        if waiting.isEmpty && hasRoom(for: entry) {
            put(entry)
            return .write(entry)
        }
        guard waiting.count < waitingMax else { return .refuse(entry) }
        waiting.append(entry)
        return .wait
    }

    mutating func received(_ value: RedisValue) -> ReceiveAction {
        guard unanswered > 0 else { return .unsolicited }
        answered.append(value)
        unanswered -= 1
        guard unanswered == 0, var done = onWire.popFirst() else { return .more }
        done.answered = answered
        bytesOnWire -= done.byteCount
        awaitFirst()
        var next: [Entry] = []
        while let first = waiting.first, hasRoom(for: first) {
            waiting.removeFirst()
            put(first)
            next.append(first)
        }
        return .completed(done, write: next)
    }

    /// Nobody waits for this batch any more: its time is up, or its caller was cancelled.
    mutating func abandon(_ id: UInt64) -> AbandonAction {
        if onWire.contains(where: { $0.id == id }) { return .close }
        guard let index = waiting.firstIndex(where: { $0.id == id }) else { return .nothing }
        return .drop(waiting.remove(at: index))
    }

    /// The connection is gone: whatever was on the wire may have been run, what waited was not.
    mutating func close() -> (onWire: [Entry], waiting: [Entry]) {
        defer {
            onWire = []
            waiting = []
            bytesOnWire = 0
            awaitFirst()
        }
        if !onWire.isEmpty { onWire[0].answered = answered }
        return (Array(onWire), Array(waiting))
    }

    private func hasRoom(for entry: Entry) -> Bool {
        onWire.isEmpty || (onWire.count < batchesMax && bytesOnWire + entry.byteCount <= bytesMax)
    }

    private mutating func put(_ entry: Entry) {
        bytesOnWire += entry.byteCount
        onWire.append(entry)
        if onWire.count == 1 { awaitFirst() }
    }

    private mutating func awaitFirst() {
        unanswered = onWire.first?.commandCount ?? 0
        answered = []
        answered.reserveCapacity(unanswered)
    }
}
