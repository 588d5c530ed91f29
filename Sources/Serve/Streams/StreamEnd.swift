/// Why a stream ends, as its client is told: the event `closing` of SSE, the close frame of a WebSocket.
///
/// | code | reason | what a client does |
/// |---|---|---|
/// | 1000 | `terminal` | nothing: the run has ended, and all of it was sent |
/// | 1002 | `protocol_error` | mends itself |
/// | 1003 | `text_only` | mends itself |
/// | 1007 | `not_utf8` | mends itself |
/// | 1008 | `bad_message`, `no_subscription`, `ack_ahead` | mends itself |
/// | 1008 | `slow_client` | comes back when it can take more |
/// | 1009 | `message_too_large` | mends itself |
/// | 1012 | `shutting_down retry_ms=…` | comes back after that time |
/// | 4001 | `taken_over` | nothing: another client has its subscription |
/// | 4002 | `subscription_deleted` | nothing, or begins anew |
/// | 4003 | `token_revoked` | comes back with the token that it has now |
struct StreamEnd: Hashable, Sendable {
    var code: UInt16
    /// One word, stable.
    var reason: String
    /// For a person; behind the reason, after a colon.
    var detail = ""
    /// How long to wait before a reconnect, where that is told.
    var retryMs = 0

    static let terminal = StreamEnd(code: 1000, reason: "terminal")
    static let takenOver = StreamEnd(code: 4001, reason: "taken_over", detail: "a newer client of this subscription")
    static let deleted = StreamEnd(code: 4002, reason: "subscription_deleted")

    static let revoked = StreamEnd(code: 4003, reason: "token_revoked", detail: "this token is none any more, or was changed")

    static func slow(_ detail: String) -> StreamEnd { StreamEnd(code: 1008, reason: "slow_client", detail: detail) }
    static func shuttingDown(retryMs: Int64) -> StreamEnd {
        StreamEnd(code: 1012, reason: "shutting_down retry_ms=\(retryMs)", retryMs: Int(retryMs))
    }
    static func protocolError(_ detail: String) -> StreamEnd { StreamEnd(code: 1002, reason: "protocol_error", detail: detail) }
    static func badMessage(_ detail: String) -> StreamEnd { StreamEnd(code: 1008, reason: "bad_message", detail: detail) }
    static let tooLarge = StreamEnd(
        code: 1009, reason: "message_too_large", detail: "at most \(WebSocketInbox.messageBytesMax) bytes are allowed")

    /// The text of a close frame: at most 123 bytes.
    var text: String {
        let whole = detail.isEmpty ? reason : "\(reason): \(detail)"
        var text = whole
        while text.utf8.count > 123 { text.removeLast() }
        return text
    }
}
