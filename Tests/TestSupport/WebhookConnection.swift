import Foundation
import NIOCore
import NIOHTTP1

/// One connection to a ``WebhookReceiver``.
final class WebhookConnection: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let receiver: WebhookReceiver
    private var head: HTTPRequestHead?
    private var body: [UInt8] = []

    init(_ receiver: WebhookReceiver) { self.receiver = receiver }

    func handlerAdded(context: ChannelHandlerContext) { receiver.opened(context.channel) }
    func handlerRemoved(context: ChannelHandlerContext) { receiver.closed(context.channel) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): (self.head, body) = (head, [])
        case .body(let bytes): body += bytes.readableBytesView
        case .end: end(context)
        }
    }

    /// Who refuses a certificate hangs up in the middle of the handshake.
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func end(_ context: ChannelHandlerContext) {
        let call = call()
        let answer = receiver.came(call)
        switch answer {
        case .status(let status, let headers): write(context, status, headers, call.run, closes: false)
        case .statusThenClose(let status): write(context, status, [], call.run, closes: true)
        case .close:
            receiver.answered(call.run)
            context.close(promise: nil)
        case .hang: receiver.answered(call.run)
        case .after(let time, let status):
            let later = later(context, status, call.run)
            context.eventLoop.scheduleTask(in: time) { later() }
        case .late: receiver.wait(later(context, 200, call.run))
        }
    }

    private func call() -> WebhookReceiver.Call {
        let object = (try? JSONSerialization.jsonObject(with: Data(body))) as? [String: Any]
        let events = object?["events"] as? [[String: Any]] ?? []
        return WebhookReceiver.Call(
            headers: head?.headers ?? [:], body: body, run: object?["run"] as? String ?? "",
            seqs: events.compactMap { ($0["seq"] as? NSNumber)?.int64Value })
    }

    private func later(_ context: ChannelHandlerContext, _ status: Int, _ run: String) -> @Sendable () -> Void {
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        return { [loop = context.eventLoop] in
            loop.execute {
                let (connection, context) = bound.value
                connection.write(context, status, [], run, closes: false)
            }
        }
    }

    private func write(_ context: ChannelHandlerContext, _ status: Int, _ headers: [(String, String)], _ run: String, closes: Bool) {
        receiver.answered(run)
        // Whoever asked may have gone.
        guard context.channel.isActive else { return }
        var fields = HTTPHeaders(headers)
        fields.add(name: "content-length", value: "0")
        if closes { fields.add(name: "connection", value: "close") }
        let head = HTTPResponseHead(version: .http1_1, status: HTTPResponseStatus(statusCode: status), headers: fields)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        if closes { context.close(promise: nil) }
    }
}
