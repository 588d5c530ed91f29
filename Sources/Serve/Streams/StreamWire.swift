/// How a stream's items stand on the wire. Both carry the same items, with the same ids.
enum StreamWire: Hashable, Sendable {
    /// Server-sent events (WHATWG HTML §9.2) in a chunked body.
    case sse
    /// One text message an item (RFC 6455): `{"id":…,"event":…,"data":…}`.
    case webSocket
}

/// What a client asks of a stream besides the run and the place.
struct StreamOptions: Hashable, Sendable {
    var selection: EventSelection
    var wire = StreamWire.sse
    /// The name under which it acknowledges; only on a WebSocket.
    var subscription: String?
}
