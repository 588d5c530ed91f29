import NIOCore
import NIOHTTP1

/// What a listener does with requests for a WebSocket. Both are called on the connection's event loop.
struct WebSocketEndpoint: Sendable {
    /// False: the request is answered as plain HTTP.
    var isAllowed: @Sendable (HTTPRequestHead) -> Bool
    /// Adds the handlers that serve the connection.
    var open: @Sendable (any Channel, HTTPRequestHead) throws -> Void
}
