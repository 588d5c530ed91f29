import Events

/// Decides when a connection is pinged and when it is dead. Time comes in as a value.
///
/// Silence counts only while the socket is read: a consumer that pauses under backpressure sees no pong, and must not take that for a death.
struct WebSocketLiveness {
    enum Action: Hashable {
        case none
        case sendPing
        case dead(WebSocketError.Code)
    }

    let pingInterval: Duration
    let pongTimeout: Duration
    let idleLimit: Duration?

    private var isReading = true
    private var lastByteAt: MonotonicTime
    private var lastMessageAt: MonotonicTime
    private var lastPingAt: MonotonicTime
    /// The first ping since the last byte.
    private var unansweredPingAt: MonotonicTime?

    init(options: WebSocketOptions, now: MonotonicTime) {
        pingInterval = options.pingInterval
        pongTimeout = options.pongTimeout
        idleLimit = options.idleLimit
        lastByteAt = now
        lastMessageAt = now
        lastPingAt = now
    }

    /// How often ``tick(now:)`` wants to be called.
    var tickInterval: Duration { min(.seconds(1), min(pingInterval, min(pongTimeout, idleLimit ?? pongTimeout)) / 4) }

    mutating func receivedBytes(now: MonotonicTime) {
        lastByteAt = now
        unansweredPingAt = nil
    }

    mutating func receivedMessage(now: MonotonicTime) { lastMessageAt = now }

    /// The reader has room again, or has none: while it has none every clock stands.
    mutating func reading(_ reading: Bool, now: MonotonicTime) {
        guard reading != isReading else { return }
        isReading = reading
        guard reading else { return }
        lastByteAt = now
        lastMessageAt = now
        unansweredPingAt = nil
    }

    mutating func tick(now: MonotonicTime) -> Action {
        if isReading {
            if let sent = unansweredPingAt, now - sent >= pongTimeout { return .dead(.pongMissing) }
            if let idleLimit, now - lastMessageAt >= idleLimit { return .dead(.idle) }
        }
        let silentSince = isReading ? max(lastByteAt, lastPingAt) : lastPingAt
        guard now - silentSince >= pingInterval else { return .none }
        lastPingAt = now
        if isReading, unansweredPingAt == nil { unansweredPingAt = now }
        return .sendPing
    }
}
