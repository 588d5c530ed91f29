import DequeModule
import NIOCore
import NIOHTTP1

/// The state of one relay, or of a labeler, which is the same but for its messages; confined to its event loop: numbering, window, readers, faults under way.
final class RelayCore {
    private static let delayedMax = 50_000

    private struct Delayed {
        var until: NIODeadline
        var item: RelayItem
    }

    private let index: Int
    private let place: FaultCounters.Place
    private let configuration: RelayConfiguration
    private let counters: FaultCounters
    private let record: SentRecord
    private let eventLoop: any EventLoop
    /// Told each commit right before it goes to a reader's socket.
    let onSent: (@Sendable (_ did: String, _ rev: String) -> Void)?
    private(set) var window: RelayWindow
    private var sequencer: RelaySequencer
    private var connections: [ObjectIdentifier: RelayConnection] = [:]
    private var connectionFaults = Deque<FaultKind>()
    private var delayed = Deque<Delayed>()
    private var delay: (amount: TimeAmount, until: NIODeadline)?
    private var silentUntil: NIODeadline?
    private var refusal: (order: FaultOrder, until: NIODeadline)?
    private var connectionsTotal = 0
    private var framesSent = 0
    private var bytesSent = 0
    private var readersTooSlow = 0

    init(
        seed: UInt64, index: Int, isLabeler: Bool = false, configuration: RelayConfiguration, counters: FaultCounters, record: SentRecord,
        eventLoop: any EventLoop, onSent: (@Sendable (_ did: String, _ rev: String) -> Void)?
    ) {
        self.index = index
        place = isLabeler ? .labeler(index) : .relay(index)
        self.configuration = configuration
        self.counters = counters
        self.record = record
        self.eventLoop = eventLoop
        self.onSent = onSent
        window = RelayWindow(entriesMax: configuration.windowEntriesMax, bytesMax: configuration.windowBytesMax)
        sequencer = RelaySequencer(
            seed: seed, relay: index, isLabeler: isLabeler, configuration: configuration, counters: counters)
    }

    // MARK: What producers say

    /// Takes items and faults; returns how many bytes the slowest reader is behind.
    func publish(_ items: [RelayItem], orders: [FaultOrder], now: NIODeadline) -> Int {
        for order in orders { begin(order, now: now) }
        releaseDelayed(now: now)
        for item in items {
            if let delay, delay.until > now, delayed.count < Self.delayedMax {
                delayed.append(Delayed(until: now + delay.amount, item: item))
                counters.happened(.delay, at: place)
            } else if delayed.isEmpty {
                append(sequencer.take(item))
            } else {
                // Behind what is delayed: one DID's order must hold.
                delayed.append(Delayed(until: now, item: item))
            }
        }
        append(sequencer.tick())
        pumpAll()
        return connections.values.reduce(0) { max($0, $1.lagBytes) }
    }

    private func begin(_ order: FaultOrder, now: NIODeadline) {
        let end = now + .milliseconds(Int64(order.seconds * 1000))
        switch order.kind {
        case .cutMidFrame, .cutOnBoundary, .garbageBytes, .errorFrame:
            if connectionFaults.count < 1_000 { connectionFaults.append(order.kind) }
        case .silent:
            silentUntil = end
            counters.happened(.silent, at: place)
            eventLoop.assumeIsolated().scheduleTask(deadline: end) { self.pumpAll() }
        case .refuse429, .refuse503: refusal = (order, end)
        case .gone:
            refusal = (order, end)
            hangUpAll(.gone)
        case .renumber:
            hangUpAll(nil)
            note(forgotten: window.renumber())
            sequencer.renumber()
            counters.happened(.renumber, at: place)
        case .forget:
            hangUpAll(nil)
            note(forgotten: window.forget())
            counters.happened(.forget, at: place)
        case .delay: delay = (.milliseconds(Int64(order.seconds * 1000)), end)
        default: break
        }
    }

    /// Ends every connection, and counts each as `kind`.
    private func hangUpAll(_ kind: FaultKind?) {
        for connection in connections.values {
            connection.hangUp()
            if let kind { counters.happened(kind, at: place) }
        }
    }

    /// Tells the record what nobody can read here any more.
    private func note(forgotten entries: [RelayWindow.Entry]) {
        if case .labeler = place, let first = entries.first, let last = entries.last {
            record.forgotten(labeler: index, first: first.seq, last: last.seq)
        }
        for entry in entries {
            guard case .message(let message) = entry.content else { continue }
            record.forgotten(relay: index, seq: entry.seq, event: message.event, time: message.time)
        }
    }

    private func releaseDelayed(now: NIODeadline) {
        while let first = delayed.first, first.until <= now || delayed.count > Self.delayedMax {
            delayed.removeFirst()
            append(sequencer.take(first.item))
        }
    }

    private func append(_ numbered: [RelaySequencer.Numbered]) {
        for one in numbered {
            switch one.item.content {
            case .message(let message):
                window.append(seq: one.seq, .message(message))
                guard let kind = message.forged else { break }
                counters.happened(kind, at: place)
                record.refused(kind, relay: index, seq: one.seq, event: message.event)
            case .injected(let kind, let time):
                window.append(seq: one.seq, .raw(InjectedFrame.bytes(kind, seq: one.seq, time: time)))
                counters.happened(kind, at: place)
                record.injected(kind, relay: index, seq: one.seq)
            case .labels(let message):
                window.append(seq: one.seq, .raw(message.frame(seq: one.seq)))
                for refused in message.refused {
                    counters.happened(.labelBadSignature, at: place)
                    record.refused(message.labels[refused], labeler: index, seq: one.seq)
                }
            }
        }
    }

    private func pumpAll() {
        for connection in connections.values { connection.pump() }
    }

    // MARK: What connections ask

    var isSilent: Bool { silentUntil.map { NIODeadline.now() < $0 } ?? false }
    var announcesCursorFaults: Bool { configuration.announcesCursorFaults }
    var readerLagBytesMax: Int { configuration.readerLagBytesMax }
    var hasConnectionFault: Bool { !connectionFaults.isEmpty }

    func isRefusing(now: NIODeadline) -> Bool { refusal.map { $0.until > now } ?? false }

    /// The answer to a connect that is refused now, or nil; counts it.
    func refusal(now: NIODeadline) -> HTTPReply? {
        guard let refusal, refusal.until > now else { return nil }
        counters.happened(refusal.order.kind, at: place)
        if refusal.order.kind == .gone { return .hangUp }
        guard refusal.order.kind == .refuse429 else { return HTTPReply(status: .serviceUnavailable, error: "Overloaded") }
        var reply = HTTPReply(status: .tooManyRequests, error: "RateLimitExceeded")
        reply.headers.add(name: "Retry-After", value: "\(refusal.order.retryAfterSeconds)")
        return reply
    }

    func attach(_ connection: RelayConnection, cursor: Int64?) -> RelayWindow.Opening {
        connections[ObjectIdentifier(connection)] = connection
        connectionsTotal += 1
        return window.opening(cursor: cursor, inclusive: configuration.cursorIsInclusive)
    }

    func detach(_ connection: RelayConnection) { connections[ObjectIdentifier(connection)] = nil }

    func takeConnectionFault() -> FaultKind? { connectionFaults.popFirst() }
    func happened(_ kind: FaultKind) { counters.happened(kind, at: place) }
    func readerWasTooSlow() { readersTooSlow += 1 }

    func sent(frames: Int, bytes: Int) {
        framesSent += frames
        bytesSent += bytes
    }

    // MARK: What the server asks

    func pingAll() {
        for connection in connections.values { connection.ping() }
    }

    func closeAll() {
        for connection in connections.values { connection.close(code: 1001, reason: "shutting down") }
    }

    func status(address: String) -> RelayStatus {
        RelayStatus(
            name: configuration.name, address: address, firstSeqKept: window.oldestSeq ?? 0, lastSeq: window.lastSeq, messages: window.end,
            windowEntries: window.count, windowBytes: window.bytes, held: sequencer.heldCount + delayed.count, connections: connections.count,
            connectionsTotal: connectionsTotal, framesSent: framesSent, bytesSent: bytesSent, readersTooSlow: readersTooSlow,
            lagBytesMax: connections.values.reduce(0) { max($0, $1.lagBytes) })
    }
}
