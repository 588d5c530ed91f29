public import NIOCore
import NIOPosix
import NIOSSL

/// A client's WebSocket connection whose reader pulls: while nobody asks for messages the socket is not read, so the server feels the pressure.
///
/// At most ``WebSocketOptions/queuedMessagesMax`` messages and ``WebSocketOptions/queuedBytesMax`` bytes (and one message) wait here, besides what
/// one read of the socket brought. Messages are slices of reads, of which at most ``WebSocketOptions/heldReadBytesMax`` are held. Extensions are not offered. One task reads; whoever made the connection closes it (``withConnection(to:path:options:group:_:)``).
public struct WebSocketConnection: Sendable {
    private let channel: any Channel
    private let handler: NIOLoopBound<WebSocketFrameHandler>
    private let mailbox: WebSocketMailbox
    public let endpoint: WebSocketEndpoint

    /// Connects, upgrades, runs `body`, and closes whatever comes.
    ///
    /// - Parameters:
    ///   - path: with its query, as it stands in the request.
    ///   - accepts: whether the address that was connected to may be used; nothing is sent to one that may not.
    ///   - group: NIO's shared one where nil.
    /// - Throws: ``WebSocketError`` where no connection came about; what `body` throws passes through.
    public static func withConnection<Value: Sendable>(
        to endpoint: WebSocketEndpoint, path: String, options: WebSocketOptions = WebSocketOptions(),
        accepts: @escaping @Sendable (SocketAddress) -> Bool = { _ in true }, group: (any EventLoopGroup)? = nil,
        _ body: (WebSocketConnection) async throws -> Value
    ) async throws -> Value {
        let connection = try await connect(
            to: endpoint, path: path, options: options.clamped(), accepts: accepts, group: group ?? MultiThreadedEventLoopGroup.singleton)
        do {
            let value = try await body(connection)
            await connection.close()
            return value
        } catch {
            await connection.close()
            throw error
        }
    }

    /// What waits, at least one message and up to so many messages and bytes (one message may stand above the bytes).
    ///
    /// - Throws: ``WebSocketError`` at the connection's end, after every message that came before it; `CancellationError` when the task is cancelled.
    public func nextMessages(messagesMax: Int, bytesMax: Int) async throws -> [WebSocketMessage] {
        while true {
            try Task.checkCancellation()
            let (messages, madeRoom) = try mailbox.take(messagesMax: messagesMax, bytesMax: bytesMax)
            if madeRoom { channel.eventLoop.execute { handler.value.pump() } }
            if !messages.isEmpty { return messages }
            try await mailbox.wait()
        }
    }

    /// What waits for the reader now.
    public var queued: (messages: Int, bytes: Int) { mailbox.queued }

    /// Sends a close frame and ends the connection. Messages that were queued stay readable. Idempotent.
    public func close(code: UInt16 = 1000, reason: String = "closed by this side") async {
        channel.eventLoop.execute { handler.value.close(code: code, reason: reason) }
        // A peer that takes nothing more must not keep a socket: what is left unsent after this is dropped.
        let force = channel.eventLoop.scheduleTask(in: .seconds(1)) { channel.close(promise: nil) }
        try? await channel.closeFuture.get()
        force.cancel()
    }

    private init(channel: any Channel, handler: NIOLoopBound<WebSocketFrameHandler>, mailbox: WebSocketMailbox, endpoint: WebSocketEndpoint) {
        self.channel = channel
        self.handler = handler
        self.mailbox = mailbox
        self.endpoint = endpoint
    }

    private static func connect(
        to endpoint: WebSocketEndpoint, path: String, options: WebSocketOptions, accepts: @escaping @Sendable (SocketAddress) -> Bool,
        group: any EventLoopGroup
    ) async throws -> WebSocketConnection {
        let tls = try makeTLS(endpoint, options)
        let loop = group.any()
        let buffers = ReadBuffers(bytesMax: options.heldReadBytesMax)
        let made = loop.makePromise(of: WebSocketConnection.self)
        // The handlers follow once one address has answered: a host with several addresses gives several channels, and nothing is read before.
        var bootstrap = ClientBootstrap(group: loop)
            .connectTimeout(TimeAmount(options.connectTimeout))
            .channelOption(.autoRead, value: false)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            // Each further read is asked for, so a full queue stops the socket after one buffer.
            .channelOption(.maxMessagesPerRead, value: 1)
        // What TLS is read into is free again at once: NIO's own pool of one serves it.
        bootstrap =
            tls == nil
            ? bootstrap.channelOption(.recvAllocator, value: buffers)
            : bootstrap.channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: ReadBuffers.bufferBytes))
        let attempt =
            bootstrap
            .connect(host: endpoint.host, port: endpoint.port)
            .flatMapThrowing { channel in
                do {
                    guard channel.remoteAddress.map(accepts) ?? false else {
                        throw WebSocketError(.connectFailed, "the address is not one of the public network", place: endpoint.description)
                    }
                    try addHandlers(channel, endpoint: endpoint, path: path, options: options, buffers: buffers, tls: tls, made: made)
                    return channel
                } catch {
                    channel.close(promise: nil)
                    throw error
                }
            }
        attempt.whenFailure { error in
            if let error = error as? WebSocketError { return made.fail(error) }
            let code: WebSocketError.Code = if case ChannelError.connectTimeout = error { .connectTimedOut } else { .connectFailed }
            made.fail(WebSocketError(code, "no connection", cause: "\(error)", place: endpoint.description))
        }
        return try await finish(made, attempt, options: options, endpoint: endpoint)
    }

    /// On the channel's event loop.
    private static func addHandlers(
        _ channel: any Channel, endpoint: WebSocketEndpoint, path: String, options: WebSocketOptions, buffers: ReadBuffers, tls: TLS?,
        made: EventLoopPromise<WebSocketConnection>
    ) throws {
        let mailbox = WebSocketMailbox(messagesMax: options.queuedMessagesMax, bytesMax: options.queuedBytesMax, place: endpoint.description)
        let frames = WebSocketFrameHandler(options: options, buffers: buffers, mailbox: mailbox, place: endpoint.description)
        let handler = NIOLoopBound(frames, eventLoop: channel.eventLoop)
        let connection = WebSocketConnection(channel: channel, handler: handler, mailbox: mailbox, endpoint: endpoint)
        let pipeline = channel.pipeline.syncOperations
        if let tls { try pipeline.addHandler(tls.makeHandler()) }
        try pipeline.addHandler(
            WebSocketUpgradeHandler(connection: connection, path: path, userAgent: options.userAgent, frames: frames, made: made))
    }

    /// Waits for the upgrade, and closes the socket when it takes too long or nobody wants it any more.
    private static func finish(
        _ made: EventLoopPromise<WebSocketConnection>, _ attempt: EventLoopFuture<any Channel>, options: WebSocketOptions, endpoint: WebSocketEndpoint
    ) async throws -> WebSocketConnection {
        let late = WebSocketError(.connectTimedOut, "no upgrade within \(options.connectTimeout)", place: endpoint.description)
        let deadline = made.futureResult.eventLoop.scheduleTask(in: TimeAmount(options.connectTimeout)) { made.fail(late) }
        made.futureResult.whenFailure { _ in attempt.whenSuccess { $0.close(promise: nil) } }
        defer { deadline.cancel() }
        let connection = try await withTaskCancellationHandler {
            try await made.futureResult.get()
        } onCancel: {
            made.fail(CancellationError())
        }
        if Task.isCancelled {
            await connection.close()
            throw CancellationError()
        }
        return connection
    }

    private struct TLS: Sendable {
        let context: NIOSSLContext
        let serverName: String?

        func makeHandler() throws -> NIOSSLClientHandler { try NIOSSLClientHandler(context: context, serverHostname: serverName) }
    }

    private static func makeTLS(_ endpoint: WebSocketEndpoint, _ options: WebSocketOptions) throws(WebSocketError) -> TLS? {
        guard endpoint.isSecure else { return nil }
        do {
            var configuration = TLSConfiguration.makeClientConfiguration()
            configuration.applicationProtocols = ["http/1.1"]
            configuration.additionalTrustRoots = options.additionalTrustRootFiles.map { .file($0) }
            let isAddress = (try? SocketAddress(ipAddress: endpoint.host, port: endpoint.port)) != nil
            return TLS(context: try NIOSSLContext(configuration: configuration), serverName: isAddress ? nil : endpoint.host)
        } catch {
            throw WebSocketError(.connectFailed, "TLS could not be set up", cause: "\(error)", place: endpoint.description)
        }
    }
}
