public import NIOCore

/// One message of a WebSocket server, whole.
public enum WebSocketMessage: Hashable, Sendable {
    /// A slice of the socket's own read buffer where the message came in one frame.
    case binary(ByteBuffer)
    /// An event stream has no text messages: it is for the caller to count and to pass them.
    case text(ByteBuffer)
    /// A message above the limit, which was read and thrown away without being kept.
    case oversize(bytes: Int)

    /// Bytes that this message holds in memory.
    public var heldBytes: Int {
        switch self {
        case .binary(let payload), .text(let payload): payload.readableBytes
        case .oversize: 0
        }
    }
}
