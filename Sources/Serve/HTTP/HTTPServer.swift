import Events
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import ServiceLifecycle

/// Listens, and holds the connections of all event loops until it is told to stop.
struct HTTPServer: Sendable {
    let parts: ServerParts
    let group: any EventLoopGroup
    /// Called with the port once it listens.
    let onBound: @Sendable (Int) -> Void

    /// Runs `beside` (readers of streams) next to the server, until graceful shutdown or cancellation; connections get the drain timeout to end.
    func run(beside: @escaping @Sendable (LoopDirectory) async -> Void = { _ in }) async throws {
        guard let address = BindAddress(parts.configuration.bind) else { throw ServeError.badBind(parts.configuration.bind) }
        let loops = try await LoopDirectory(parts: parts, group: group)
        let listener = try await listen(address, loops)
        let port = listener.localAddress?.port ?? address.port
        parts.logger.info("listening", metadata: ["host": "\(address.host)", "port": "\(port)"])
        onBound(port)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await parts.requests.run() }
            group.addTask { await parts.changes.run() }
            group.addTask { await parts.catchUps.run() }
            group.addTask { await beside(loops) }
            // Both ends are ends: told to stop, or cancelled.
            try? await gracefulShutdown()
            try? await listener.close()
            await loops.drain(within: parts.configuration.drainTimeout)
            group.cancelAll()
        }
        await loops.stop()
        parts.logger.info("stopped listening", metadata: ["port": "\(port)"])
    }

    private func listen(_ address: BindAddress, _ loops: LoopDirectory) async throws -> any Channel {
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: Int32(parts.configuration.backlog))
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try initialize(channel, loops) }
            }
        do {
            return try await bootstrap.bind(host: address.host, port: address.port).get()
        } catch {
            throw ServeError.cannotListen(address.description, "\(error)")
        }
    }

    private func initialize(_ channel: any Channel, _ loops: LoopDirectory) throws {
        guard let connections = loops[channel.eventLoop] else { throw ServeError.cannotListen(parts.configuration.bind, "a foreign event loop") }
        let isOneTooMany = !parts.connections.enter()
        parts.metrics.connections(now: parts.connections.now)
        let account = ConnectionAccount()
        channel.closeFuture.whenComplete { [parts] _ in
            account.close()
            parts.connections.leave()
            parts.metrics.connections(now: parts.connections.now)
        }
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = parts.configuration.headerBytesMax
        limits.maxHeaderListSize = parts.configuration.headerBytesMax
        // What a client sends right behind its request for a WebSocket is the beginning of that.
        let decoder = HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes, limitConfiguration: limits)
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(HTTPResponseEncoder())
        try pipeline.addHandler(
            ByteToMessageHandler(decoder, maximumBufferSize: Request.targetBytesMax * 2 + parts.configuration.headerBytesMax))
        try pipeline.addHandler(RequestHandler(connections: connections, isOneTooMany: isOneTooMany, account: account))
    }
}
