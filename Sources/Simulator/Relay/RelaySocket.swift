import NIOCore

/// Marks the place in the pipeline next to the socket, from where bytes go out as they are.
final class RelaySocket: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
}
