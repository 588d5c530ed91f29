import NIOCore
import NIOPosix
import Testing

@testable import Simulator

@Suite(.timeLimit(.minutes(10))) struct HTTPListenerTests {
    private struct NoAnswer: HTTPResponder {
        func respond(to request: HTTPRequest) async -> HTTPReply { HTTPReply(contentType: "text/plain", body: .hangUp) }
    }

    private struct LargeAnswer: HTTPResponder {
        static let bytes = 16 << 20

        func respond(to request: HTTPRequest) async -> HTTPReply {
            HTTPReply(contentType: "text/plain", body: .bytes([UInt8](repeating: UInt8(ascii: "x"), count: Self.bytes)))
        }
    }

    /// Counts what comes until the end of the connection.
    private final class Count: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private var bytes = 0
        private let ended: EventLoopPromise<Int>

        init(_ ended: EventLoopPromise<Int>) { self.ended = ended }
        func channelRead(context: ChannelHandlerContext, data: NIOAny) { bytes += unwrapInboundIn(data).readableBytes }
        func channelInactive(context: ChannelHandlerContext) { ended.succeed(bytes) }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }

    @Test("a client that wants its connection closed behind the answer gets all of it first, however long it takes to read")
    func closesBehindAll() async throws {
        let listener = try await HTTPListener.bind(
            host: "127.0.0.1", port: 0, group: MultiThreadedEventLoopGroup.singleton, responder: LargeAnswer(), webSocket: nil)
        let running = Task { try await listener.run() }
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let ended = loop.makePromise(of: Int.self)
        let client = try await ClientBootstrap(group: loop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Count(ended)) }
            }
            .connect(host: "127.0.0.1", port: listener.port).get()
        try await client.writeAndFlush(ByteBuffer(string: "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")).get()
        #expect(try await ended.futureResult.get() > LargeAnswer.bytes)
        running.cancel()
        _ = await running.result
    }

    @Test("who has connected to a listener that never ran is sent away when it goes, and the process goes on")
    func neverRan() async throws {
        // One loop for all: what it did before an answer of its own is done.
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let (requests, arrived) = AsyncStream<Void>.makeStream()
        let endpoint = WebSocketEndpoint(
            isAllowed: { _ in
                arrived.yield()
                return false
            }, open: { _, _ in })
        var listener: HTTPListener? = try await HTTPListener.bind(
            host: "127.0.0.1", port: 0, group: loop, responder: NoAnswer(), webSocket: endpoint)
        let client = try await ClientBootstrap(group: loop).connect(host: "127.0.0.1", port: listener?.port ?? 0).get()
        let request = "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"
        try await client.writeAndFlush(ByteBuffer(string: request)).get()
        for await _ in requests { break }
        try await loop.submit {}.get()
        withExtendedLifetime(listener) {}
        listener = nil
        try await client.closeFuture.get()
    }
}
