import NIOCore
import NIOPosix
import Synchronization

/// The client's side of one connection of a ``FaultyServer``.
final class FaultyPeer: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let server: FaultyServer
    private let target: (host: String, port: Int)?
    private var upstream: (any Channel)?

    init(server: FaultyServer, target: (host: String, port: Int)?) {
        self.server = server
        self.target = target
    }

    func channelActive(context: ChannelHandlerContext) {
        guard let target else {
            start(context.channel)
            return
        }
        let client = context.channel
        let replies = NIOLoopBound(FaultyReplies(server: server, client: client), eventLoop: context.eventLoop)
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        ClientBootstrap(group: context.eventLoop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(replies.value) }
            }
            .connect(host: target.host, port: target.port)
            .whenComplete { result in
                switch result {
                case .success(let channel):
                    bound.value.upstream = channel
                    bound.value.start(client)
                case .failure: client.close(promise: nil)
                }
            }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        let fault = server.state.withLock {
            $0.received += buffer.readableBytes
            return $0.fault
        }
        switch fault {
        case .none, .cutReplies: upstream?.writeAndFlush(buffer, promise: nil)
        case .answer(let bytes): context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
        case .silent: break
        case .refuse: context.close(promise: nil)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        upstream?.close(promise: nil)
        upstream = nil
    }

    /// Bytes are read only once they have somewhere to go.
    private func start(_ client: any Channel) {
        client.setOption(.autoRead, value: true).whenSuccess { client.read() }
    }
}

/// The target's side of one connection: what it answers goes to the client, as far as the fault lets it.
final class FaultyReplies: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let server: FaultyServer
    private let client: any Channel

    init(server: FaultyServer, client: any Channel) {
        self.server = server
        self.client = client
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = unwrapInboundIn(data)
        let (fault, left) = server.state.withLock { state -> (FaultyServer.Fault, Int?) in
            guard let left = state.replyBytesLeft else { return (state.fault, nil) }
            state.replyBytesLeft = max(left - buffer.readableBytes, 0)
            return (state.fault, left)
        }
        switch fault {
        case .none: client.writeAndFlush(buffer, promise: nil)
        case .cutReplies:
            let client = client
            guard let left, left <= buffer.readableBytes else {
                client.writeAndFlush(buffer, promise: nil)
                return
            }
            let part = buffer.readSlice(length: left) ?? ByteBuffer()
            client.writeAndFlush(part).whenComplete { _ in client.close(promise: nil) }
        case .answer, .silent: break
        case .refuse: client.close(promise: nil)
        }
    }

    func channelInactive(context: ChannelHandlerContext) { client.close(promise: nil) }
}
