import NIOCore
import NIOHTTP1

/// Takes the wish to upgrade out of a request that may not, so that it is answered as plain HTTP.
///
/// An upgrader that refuses comes too late for that: NIO's upgrade handler has swallowed the request's head by then.
final class UpgradeGate: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart

    private let isAllowed: (HTTPRequestHead) -> Bool

    init(isAllowed: @escaping (HTTPRequestHead) -> Bool) { self.isAllowed = isAllowed }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var part = unwrapInboundIn(data)
        if case .head(var head) = part, head.headers.contains(name: "Upgrade"), !isAllowed(head) {
            head.headers.remove(name: "Upgrade")
            part = .head(head)
        }
        context.fireChannelRead(wrapInboundOut(part))
        // Only a connection's first request can upgrade it, and after that nothing of HTTP comes.
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
    }
}
