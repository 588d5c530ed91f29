/// Why a WebSocket connection could not be made, or how it ended.
public struct WebSocketError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Code: Hashable, Sendable {
        /// No TCP or TLS connection: name resolution, refusal, certificate.
        case connectFailed
        /// The connection or the upgrade took longer than ``WebSocketOptions/connectTimeout``.
        case connectTimedOut
        /// The server answered the upgrade with another status than 101: 405, 426, 429, 5xx and others.
        case upgradeRefused(status: Int, retryAfter: Duration?)
        /// The answer was no HTTP, or a 101 whose `Sec-WebSocket-Accept` is wrong.
        case upgradeInvalid
        /// The server broke the framing of RFC 6455: nothing after it can be split.
        case protocolViolation
        /// The server sent a close frame; 1005 where it gave no code.
        case closedByPeer(code: UInt16)
        /// The connection ended without a close frame.
        case connectionLost
        /// No byte came within the limit after a ping.
        case pongMissing
        /// No message came within the idle limit.
        case idle
        /// Our own side closed it.
        case closedLocally
        /// Two readers asked one connection for messages at the same time: an error of ours.
        case concurrentReaders
    }

    public let code: Code
    public let message: String
    /// What the layer below said, empty where there is nothing below.
    public let cause: String
    /// Host and port.
    public let place: String

    public init(_ code: Code, _ message: String, cause: String = "", place: String) {
        self.code = code
        self.message = message
        self.cause = cause
        self.place = place
    }

    /// A short stable word for a metric's label and a log's field.
    public var reason: String {
        switch code {
        case .connectFailed: "connect_failed"
        case .connectTimedOut: "connect_timed_out"
        case .upgradeRefused(let status, _): "upgrade_refused_\(status)"
        case .upgradeInvalid: "upgrade_invalid"
        case .protocolViolation: "protocol_violation"
        case .closedByPeer(let code): "closed_by_peer_\(code)"
        case .connectionLost: "connection_lost"
        case .pongMissing: "pong_missing"
        case .idle: "idle"
        case .closedLocally: "closed_locally"
        case .concurrentReaders: "concurrent_readers"
        }
    }

    /// How long the server asks to stay away, where it said so (429 and 503 with `Retry-After` in seconds).
    public var retryAfter: Duration? {
        guard case .upgradeRefused(_, let retryAfter) = code else { return nil }
        return retryAfter
    }

    public var description: String { "\(place): \(message)\(cause.isEmpty ? "" : " (\(cause))")" }
}
