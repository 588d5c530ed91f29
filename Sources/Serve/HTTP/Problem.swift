import Events
import NIOHTTP1

/// Why a request is refused, as a problem document (RFC 9457) with a stable code.
///
/// `{"type":"about:blank","title":…,"status":…,"code":…,"detail":…}`, and where a value of the request is at fault
/// `parameter` (of a body: `pointer`, RFC 6901), `given` and `allowed`; at `seq_conflict` also `last_seq`. Programs compare `code`; the other texts are for people and may change.
struct Problem: Error, Hashable, Sendable {
    enum Code: String, Hashable, Sendable, CaseIterable {
        case badRequest = "bad_request"
        case badParameter = "bad_parameter"
        case unknownParameter = "unknown_parameter"
        case cursorAhead = "cursor_ahead"
        case badBody = "bad_body"
        case bodyNotAllowed = "body_not_allowed"
        case unknownMember = "unknown_member"
        case badDID = "bad_did"
        case tooMany = "too_many"
        case writesNotAllowed = "writes_not_allowed"
        case foreignOrigin = "foreign_origin"
        case notFound = "not_found"
        case runNotFound = "run_not_found"
        case methodNotAllowed = "method_not_allowed"
        case bodyTooSlow = "body_too_slow"
        case nothingTracked = "nothing_tracked"
        case bodyTooLarge = "body_too_large"
        case targetTooLong = "target_too_long"
        case unsupportedMediaType = "unsupported_media_type"
        case expectationFailed = "expectation_failed"
        case headersTooLarge = "headers_too_large"
        case tooManyConnections = "too_many_connections"
        case unauthorized
        case forbidden
        case rateLimited = "rate_limited"
        case tooManyTokenConnections = "too_many_token_connections"
        case runReserved = "run_reserved"
        case runExists = "run_exists"
        case runEnded = "run_ended"
        case runBusy = "run_busy"
        case idempotencyConflict = "idempotency_conflict"
        case seqConflict = "seq_conflict"
        case keyRegressing = "key_regressing"
        case eventTooLarge = "event_too_large"
        case badHandshake = "bad_handshake"
        case subscriptionNotFound = "subscription_not_found"
        case tooManySubscriptions = "too_many_subscriptions"
        case overloaded
        case unavailable
        case failed
        case badSink = "bad_sink"
        case sinkNotFound = "sink_not_found"
        case sinkTaken = "sink_taken"
        case letterNotFound = "letter_not_found"
        case letterSettled = "letter_settled"

        var status: HTTPResponseStatus {
            switch self {
            case .badRequest, .badParameter, .unknownParameter, .cursorAhead, .badBody, .bodyNotAllowed, .unknownMember, .badDID, .tooMany:
                .badRequest
            case .unauthorized: .unauthorized
            case .writesNotAllowed, .foreignOrigin, .forbidden, .runReserved: .forbidden
            case .notFound, .runNotFound: .notFound
            case .methodNotAllowed: .methodNotAllowed
            case .bodyTooSlow: .requestTimeout
            case .nothingTracked, .runExists, .runEnded, .idempotencyConflict, .seqConflict, .keyRegressing: .conflict
            case .bodyTooLarge, .eventTooLarge: .payloadTooLarge
            case .targetTooLong: .uriTooLong
            case .unsupportedMediaType: .unsupportedMediaType
            case .expectationFailed: .expectationFailed
            case .rateLimited, .tooManyTokenConnections: .tooManyRequests
            case .headersTooLarge: .requestHeaderFieldsTooLarge
            case .tooManyConnections, .runBusy, .overloaded, .unavailable: .serviceUnavailable
            case .failed: .internalServerError
            case .badHandshake: .upgradeRequired
            case .subscriptionNotFound: .notFound
            case .tooManySubscriptions: .conflict
            case .badSink: .badRequest
            case .sinkNotFound, .letterNotFound: .notFound
            case .sinkTaken, .letterSettled: .conflict
            }
        }
    }

    var code: Code
    var detail: String
    var parameter: String?
    var pointer: String?
    var given: String?
    var allowed: String?
    /// Of the run, where another one was expected.
    var lastSeq: Int64?
    /// When to try again; nil: the code's own.
    var retryAfterSeconds: Int?

    init(
        _ code: Code, _ detail: String, parameter: String? = nil, pointer: String? = nil, given: String? = nil, allowed: String? = nil,
        lastSeq: Int64? = nil, retryAfterSeconds: Int? = nil
    ) {
        self.code = code
        self.detail = detail
        self.parameter = parameter
        self.pointer = pointer?.excerpt(scalars: 256)
        self.given = given?.excerpt(scalars: 256)
        self.allowed = allowed
        self.lastSeq = lastSeq
        self.retryAfterSeconds = retryAfterSeconds
    }

    /// A value of the query or a header that is not allowed: what, where, and what is.
    static func parameter(_ name: String, given: String, allowed: String) -> Problem {
        Problem(.badParameter, "\(name) is not allowed to be this", parameter: name, given: given, allowed: allowed)
    }

    /// Too many changes of a run wait for one another, or this one has waited too long. Nothing was written.
    static func busy(_ run: RunID) -> Problem {
        Problem(
            .runBusy, "too many changes of this run wait for one another; nothing was written", given: run.description,
            allowed: "later, or fewer requests with more events each")
    }

    var reply: HTTPReply {
        var json = JSONWriter()
        json.beginObject()
        json.member("type", "about:blank")
        json.member("title", code.status.reasonPhrase)
        json.member("status", Int(code.status.code))
        json.member("code", code.rawValue)
        json.member("detail", detail)
        if let parameter { json.member("parameter", parameter) }
        if let pointer { json.member("pointer", pointer) }
        if let given { json.member("given", given) }
        if let allowed { json.member("allowed", allowed) }
        if let lastSeq { json.member("last_seq", lastSeq) }
        json.endObject()
        var headers = [("Cache-Control", "no-store")]
        if code == .unauthorized { headers.append(("WWW-Authenticate", "Bearer realm=\"weir\"")) }
        if code == .methodNotAllowed, let allowed { headers.append(("Allow", allowed)) }
        if code == .badHandshake { headers += [("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13")] }
        if let seconds = retryAfterSeconds ?? (code.status == .serviceUnavailable ? 1 : nil) { headers.append(("Retry-After", "\(seconds)")) }
        return HTTPReply(status: code.status, contentType: "application/problem+json", headers: headers, body: json.take())
    }
}
