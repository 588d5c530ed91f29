import NIOCore
import NIOHTTP1
import NIOWebSocket

/// Sends the upgrade request, judges the answer, and hands the connection, with every byte behind the answer, to the frame handler.
final class WebSocketUpgradeHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Of the body of a refusal, what is kept for the log.
    private static let bodyBytesMax = 512

    private let connection: WebSocketConnection
    private let path: String
    private let userAgent: String
    private let key = NIOWebSocketClientUpgrader.randomRequestKey()
    private let frames: WebSocketFrameHandler
    private let made: EventLoopPromise<WebSocketConnection>
    private var received = ByteBuffer()
    private var isDecided = false

    init(
        connection: WebSocketConnection, path: String, userAgent: String, frames: WebSocketFrameHandler, made: EventLoopPromise<WebSocketConnection>
    ) {
        self.connection = connection
        self.path = path
        self.userAgent = userAgent
        self.frames = frames
        self.made = made
    }

    private var place: String { connection.endpoint.description }

    func handlerAdded(context: ChannelHandlerContext) {
        let request = """
            GET \(path) HTTP/1.1\r
            Host: \(connection.endpoint.authority)\r
            User-Agent: \(userAgent)\r
            Upgrade: websocket\r
            Connection: Upgrade\r
            Sec-WebSocket-Key: \(key)\r
            Sec-WebSocket-Version: 13\r
            \r\n
            """
        context.writeAndFlush(Self.wrapOutboundOut(ByteBuffer(string: request)), promise: nil)
        context.read()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isDecided else { return }
        received.writeImmutableBuffer(Self.unwrapInboundIn(data))
        do throws(UpgradeAnswer.Invalid) {
            guard let answer = try UpgradeAnswer.read(from: &received) else { return }
            decide(context, answer)
        } catch {
            fail(context, WebSocketError(.upgradeInvalid, "no answer to an upgrade", cause: error.problem, place: place))
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if !isDecided { context.read() }
        context.fireChannelReadComplete()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fail(context, WebSocketError(.connectFailed, "the connection broke before an answer to the upgrade", cause: "\(error)", place: place))
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail(context, WebSocketError(.connectFailed, "the connection ended before an answer to the upgrade", place: place))
        context.fireChannelInactive()
    }

    private func decide(_ context: ChannelHandlerContext, _ answer: UpgradeAnswer) {
        guard answer.status == 101 else {
            let retryAfter = answer.values("retry-after").first.flatMap { Int($0) }.map { Duration.seconds(min(max($0, 0), 86_400)) }
            let body = received.readSlice(length: min(received.readableBytes, Self.bodyBytesMax)).map { String(buffer: $0) } ?? ""
            let code = WebSocketError.Code.upgradeRefused(status: answer.status, retryAfter: retryAfter)
            fail(context, WebSocketError(code, "the upgrade was answered with status \(answer.status)", cause: body, place: place))
            return
        }
        let isUpgrade = answer.values("upgrade").contains { $0.lowercased() == "websocket" }
        guard isUpgrade, acceptIsRight(answer), answer.values("sec-websocket-extensions").isEmpty else {
            fail(context, WebSocketError(.upgradeInvalid, "the 101 has a wrong Sec-WebSocket-Accept, Upgrade or extension", place: place))
            return
        }
        upgrade(context)
    }

    private func acceptIsRight(_ answer: UpgradeAnswer) -> Bool {
        let judge = NIOWebSocketClientUpgrader(requestKey: key) { channel, _ in channel.eventLoop.makeSucceededVoidFuture() }
        let headers = HTTPHeaders(answer.values("sec-websocket-accept").map { ("Sec-WebSocket-Accept", $0) })
        return judge.shouldAllowUpgrade(upgradeResponse: HTTPResponseHead(version: .http1_1, status: .switchingProtocols, headers: headers))
    }

    /// A relay that replays from a cursor sends frames together with its 101: they go to the frame handler before anything else.
    private func upgrade(_ context: ChannelHandlerContext) {
        isDecided = true
        let pipeline = context.pipeline.syncOperations
        do {
            try pipeline.addHandler(frames, position: .after(self))
        } catch {
            made.fail(WebSocketError(.upgradeInvalid, "the pipeline refused the upgrade", cause: "\(error)", place: place))
            context.close(promise: nil)
            return
        }
        made.succeed(connection)
        if received.readableBytes > 0 { context.fireChannelRead(Self.wrapInboundOut(received)) }
        received = ByteBuffer()
        pipeline.removeHandler(context: context, promise: nil)
    }

    private func fail(_ context: ChannelHandlerContext, _ error: WebSocketError) {
        guard !isDecided else { return }
        isDecided = true
        made.fail(error)
        context.close(promise: nil)
    }
}
