import NIOCore
import NIOHTTP1
import NIOPosix
import NIOWebSocket

/// A small HTTP/1.1 server on one port, with WebSocket upgrade where it is given one.
final class HTTPListener: Sendable {
    private typealias Part = HTTPPart<HTTPResponseHead, ByteBuffer>
    private typealias Writer = NIOAsyncChannelOutboundWriter<Part>
    typealias HTTPChannel = NIOAsyncChannel<HTTPServerRequestPart, HTTPPart<HTTPResponseHead, ByteBuffer>>

    static let bodyBytesMax = 1 << 20

    private let channel: any Channel
    /// Connections without an upgrade. Each must be taken by somebody: one that is merely let go ends the process (NIO's rule).
    private let connections: AsyncStream<HTTPChannel>
    private let arrivals: AsyncStream<HTTPChannel>.Continuation
    private let responder: any HTTPResponder
    private let bindHost: String
    let port: Int

    /// `host:port` as bound.
    var address: String { "\(bindHost):\(port)" }

    private init(
        channel: any Channel, connections: AsyncStream<HTTPChannel>, arrivals: AsyncStream<HTTPChannel>.Continuation,
        responder: any HTTPResponder, bindHost: String, port: Int
    ) {
        self.channel = channel
        self.connections = connections
        self.arrivals = arrivals
        self.responder = responder
        self.bindHost = bindHost
        self.port = port
    }

    /// Binds; port 0 takes a free one.
    static func bind(
        host: String, port: Int, group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton, responder: any HTTPResponder,
        webSocket: WebSocketEndpoint? = nil
    ) async throws(SimulatorError) -> HTTPListener {
        let (connections, arrivals) = AsyncStream<HTTPChannel>.makeStream()
        do {
            let channel = try await ServerBootstrap(group: group)
                .serverChannelOption(.backlog, value: 1024)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                .childChannelOption(.writeBufferWaterMark, value: .init(low: 256 << 10, high: 1 << 20))
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture { try configure(channel, webSocket, arrivals) }
                }
                .bind(host: host, port: port).get()
            guard let bound = channel.localAddress?.port else {
                throw SimulatorError(code: .bindFailed, message: "no port", entity: "\(host):\(port)")
            }
            return HTTPListener(
                channel: channel, connections: connections, arrivals: arrivals, responder: responder, bindHost: host, port: bound)
        } catch let error as SimulatorError {
            throw error
        } catch {
            throw SimulatorError(code: .bindFailed, message: "cannot listen", entity: "\(host):\(port)", cause: "\(error)")
        }
    }

    deinit {
        channel.close(promise: nil)
        // One that never ran, as another could not be bound: those who have connected meanwhile are sent away.
        arrivals.finish()
        let connections = connections
        Task { for await connection in connections { try? await connection.executeThenClose { _, _ in } } }
    }

    /// Serves until cancelled.
    func run() async throws {
        await withDiscardingTaskGroup { group in
            // A cancellation ends it behind the last connection that has arrived.
            for await connection in connections { group.addTask { await self.serve(connection) } }
        }
        try? await channel.close()
    }

    /// Hands a connection over; one for which nobody is left is closed.
    private static func arrived(_ connection: HTTPChannel, _ arrivals: AsyncStream<HTTPChannel>.Continuation) {
        if case .terminated = arrivals.yield(connection) {
            Task { try? await connection.executeThenClose { _, _ in } }
        }
    }

    private static func configure(
        _ channel: any Channel, _ webSocket: WebSocketEndpoint?, _ arrivals: AsyncStream<HTTPChannel>.Continuation
    ) throws {
        var upgraders: [NIOTypedWebSocketServerUpgrader<Void>] = []
        if let webSocket {
            upgraders.append(
                NIOTypedWebSocketServerUpgrader<Void>(
                    maxFrameSize: 1 << 16, enableAutomaticErrorHandling: false,
                    shouldUpgrade: { channel, _ in channel.eventLoop.makeSucceededFuture(HTTPHeaders()) },
                    upgradePipelineHandler: { channel, head in
                        channel.eventLoop.makeCompletedFuture { try webSocket.open(channel, head) }
                    }))
        }
        let upgrade = NIOTypedHTTPServerUpgradeConfiguration<Void>(upgraders: upgraders) { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(HTTPBodyHandler())
                arrived(try HTTPChannel(wrappingChannelSynchronously: channel), arrivals)
            }
        }
        let pipeline = channel.pipeline.syncOperations
        _ = try pipeline.configureUpgradableHTTPServerPipeline(configuration: .init(upgradeConfiguration: upgrade))
        let upgradeHandler = try pipeline.handler(type: NIOTypedHTTPServerUpgradeHandler<Void>.self)
        try pipeline.addHandler(UpgradeGate { head in webSocket?.isAllowed(head) ?? false }, position: .before(upgradeHandler))
    }

    /// One connection's failure ends that connection only.
    private func serve(_ channel: HTTPChannel) async {
        // A peer that goes away in the middle is nobody's concern.
        try? await channel.executeThenClose { inbound, outbound in
            var head: HTTPRequestHead?
            var body: [UInt8] = []
            for try await part in inbound {
                switch part {
                case .head(let received):
                    head = received
                    body = []
                case .body(let bytes):
                    guard body.count + bytes.readableBytes <= Self.bodyBytesMax else { return }
                    body += bytes.readableBytesView
                case .end:
                    guard let request = head else { return }
                    let reply = await responder.respond(to: HTTPRequest(method: request.method, uri: request.uri, body: body))
                    if case .hangUp = reply.body { return }
                    try await send(reply, to: request, channel, outbound)
                    if !request.isKeepAlive { return }
                }
            }
        }
    }

    private func send(_ reply: HTTPReply, to request: HTTPRequestHead, _ connection: HTTPChannel, _ out: Writer) async throws {
        var head = HTTPResponseHead(version: .http1_1, status: reply.status, headers: reply.headers)
        if !request.isKeepAlive { head.headers.add(name: "Connection", value: "close") }
        switch reply.body {
        case .bytes(let bytes):
            head.headers.add(name: "Content-Length", value: "\(bytes.count)")
            let body: [Part] = request.method == .HEAD || bytes.isEmpty ? [] : [.body(ByteBuffer(bytes: bytes))]
            // In one go: most answers are small.
            try await out.write(contentsOf: [.head(head)] + body + (request.isKeepAlive ? [.end(nil)] : []))
        case .parts(let next):
            head.headers.add(name: "Transfer-Encoding", value: "chunked")
            try await out.write(.head(head))
            while let part = try await next() {
                switch part {
                // Once the socket has it: `out` alone takes parts for as long as its event loop waits for a core, however many.
                case .bytes(let bytes): try await connection.channel.writeAndFlush(Part.body(ByteBuffer(bytes: bytes))).get()
                case .silence(let gate): await Self.wait(for: gate, connection)
                case .cut: throw ConnectionCut()
                }
            }
            if request.isKeepAlive { try await out.write(.end(nil)) }
        case .hangUp: return
        }
        // The connection is closed behind this one, and closing drops what its client has not taken by then.
        if !request.isKeepAlive { try await connection.channel.writeAndFlush(Part.end(nil)).get() }
    }

    /// Until the gate opens or the connection ends.
    private static func wait(for gate: ReplyGate, _ connection: HTTPChannel) async {
        let (opening, end) = gate.wait()
        connection.channel.closeFuture.whenComplete { _ in end.finish() }
        for await _ in opening {}
    }

    /// Ends a connection in the middle of an answer.
    private struct ConnectionCut: Error {}
}
