import NIOCore
import NIOPosix
import Testing

@testable import Simulator

@Suite(.timeLimit(.minutes(10))) struct HTTPListenerTests {
    private struct NoAnswer: HTTPResponder {
        func respond(to request: HTTPRequest) async -> HTTPReply { HTTPReply(contentType: "text/plain", body: .hangUp) }
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
