/// The limits of one WebSocket connection. Every value is bounded; ``clamped()`` takes what is outside into its range.
public struct WebSocketOptions: Hashable, Sendable {
    /// Largest message that is handed on, in bytes, over all its fragments. What is larger is drained and counted.
    /// Default 5 MB (the network's frame limit), range 1 KB to 64 MB.
    public var messageBytesMax = 5_000_000
    /// Messages that wait for the reader before the socket is no longer read. Default 1024, range 1 to 65,536.
    public var queuedMessagesMax = 1024
    /// Bytes that wait for the reader before the socket is no longer read. Default 2 MB, range 4 KB to 64 MB. One message may stand above it.
    public var queuedBytesMax = 2_000_000
    /// Bytes of reads that may be held for the messages in them, and used again. Default 16 MB, range 256 KB to 64 MB. Above it messages are copied.
    public var heldReadBytesMax = 16 << 20
    /// Time for TCP, TLS and the upgrade together. Default 15 s, range 100 ms to 2 min.
    public var connectTimeout: Duration = .seconds(15)
    /// Silence after which a ping is sent. Default 20 s, range 10 ms to 10 min.
    public var pingInterval: Duration = .seconds(20)
    /// After a ping, silence that ends the connection, counted only while the socket is read. Default 20 s, range 10 ms to 10 min.
    public var pongTimeout: Duration = .seconds(20)
    /// Time without a message that ends the connection, counted only while the socket is read; nil: none. Default 5 min, range 10 ms to 1 day.
    ///
    /// A quiet upstream is not a dead one, so this is long; the pings find a dead one.
    public var idleLimit: Duration? = .seconds(300)
    /// Sent as `User-Agent`.
    public var userAgent = "weir"
    /// Files of PEM certificates that are trusted besides the system's. For tests and private networks.
    public var additionalTrustRootFiles: [String] = []

    public init() {}

    /// The same with every limit inside its range.
    public func clamped() -> Self {
        var copy = self
        copy.messageBytesMax = min(max(messageBytesMax, 1_000), 64_000_000)
        copy.queuedMessagesMax = min(max(queuedMessagesMax, 1), 65_536)
        copy.queuedBytesMax = min(max(queuedBytesMax, 4_000), 64_000_000)
        copy.heldReadBytesMax = min(max(heldReadBytesMax, 256 << 10), 64 << 20)
        copy.connectTimeout = min(max(connectTimeout, .milliseconds(100)), .seconds(120))
        copy.pingInterval = min(max(pingInterval, .milliseconds(10)), .seconds(600))
        copy.pongTimeout = min(max(pongTimeout, .milliseconds(10)), .seconds(600))
        copy.idleLimit = idleLimit.map { min(max($0, .milliseconds(10)), .seconds(86_400)) }
        return copy
    }
}
