import NIOCore
import NIOHTTP1

/// A relay's answers to what is not a WebSocket.
struct RelayResponder: HTTPResponder {
    /// Of the stream.
    let path: String
    let core: NIOLoopBound<RelayCore>
    let eventLoop: any EventLoop
    let next: any HTTPResponder

    func respond(to request: HTTPRequest) async -> HTTPReply {
        guard request.path == path else { return await next.respond(to: request) }
        let refusal = try? await eventLoop.submit { [core] in core.value.refusal(now: .now()) }.get()
        if let refusal { return refusal }
        if !RelayServer.hasValidCursor(request.uri) { return HTTPReply(status: .badRequest, error: "InvalidRequest") }
        var reply = HTTPReply(status: .upgradeRequired, error: "InvalidRequest")
        reply.headers.add(name: "Upgrade", value: "websocket")
        return reply
    }
}
