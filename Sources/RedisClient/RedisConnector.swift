import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// Makes connections of one configuration: socket, TLS, log-in, database, name.
final class RedisConnector: Sendable {
    /// What the kernel keeps of a local socket's unsent bytes, where it allows so much. Its default of 208 KiB is soon empty while a large batch is
    /// on its way, and Redis waits for our thread. A TCP socket grows by itself, and only where its size was not set.
    private static let localSendBytes = 1 << 20

    let configuration: RedisConfiguration
    let group: any EventLoopGroup
    private let context = Mutex<NIOSSLContext?>(nil)

    init(configuration: RedisConfiguration, group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton) {
        self.configuration = configuration
        self.group = group
    }

    func connect() async throws(RedisError) -> RedisConnection {
        let deadline = NIODeadline.now() + TimeAmount(configuration.connectTimeout) + .seconds(1)
        return try await connect(on: group.next()).value(by: deadline, place: "connect \(configuration.address)") { $0.closeSoon() }
    }

    /// Fails with a ``RedisError`` only.
    func connect(on eventLoop: any EventLoop) -> EventLoopFuture<RedisConnection> {
        let configuration = configuration
        let deadline = NIODeadline.now() + TimeAmount(configuration.connectTimeout)
        return tlsContext(eventLoop)
            .flatMap { context in Self.open(configuration, on: eventLoop, context) }
            .flatMap { connection in
                connection.submit(Self.greeting(configuration), deadline: deadline)
                    .flatMapThrowing { replies in
                        try Self.check(replies, configuration)
                        return connection
                    }
                    .flatMapErrorThrowing { error in
                        connection.closeSoon()
                        throw error
                    }
            }
            .flatMapErrorThrowing { error in throw Self.failure(error, configuration) }
    }

    private static func open(
        _ configuration: RedisConfiguration, on eventLoop: any EventLoop, _ context: NIOSSLContext?
    ) -> EventLoopFuture<RedisConnection> {
        let bootstrap = ClientBootstrap(group: eventLoop)
            .connectTimeout(TimeAmount(configuration.connectTimeout))
            .channelOption(.socketOption(.so_keepalive), value: 1)
            .channelOption(.recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 4096, initial: 16 << 10, maximum: 256 << 10))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let context { try pipeline.addHandler(tlsHandler(context, configuration)) }
                    try pipeline.addHandler(RedisChannelHandler(configuration: configuration))
                }
            }
        let channel =
            switch configuration.address {
            case .tcp(let host, let port): bootstrap.connect(host: host, port: port)
            case .unix(let path):
                bootstrap.channelOption(.socketOption(.so_sndbuf), value: localSendBytes).connect(unixDomainSocketPath: path)
            }
        return channel.flatMapThrowing { channel in
            let handler = try channel.pipeline.syncOperations.handler(type: RedisChannelHandler.self)
            return RedisConnection(
                configuration: configuration, channel: channel, handler: NIOLoopBound(handler, eventLoop: channel.eventLoop))
        }
    }

    // MARK: TLS

    /// Made once, on a thread that may block: it reads the certificates of authorities from disk.
    private func tlsContext(_ eventLoop: any EventLoop) -> EventLoopFuture<NIOSSLContext?> {
        if configuration.tls == .disabled { return eventLoop.makeSucceededFuture(nil) }
        if let made = context.withLock({ $0 }) { return eventLoop.makeSucceededFuture(made) }
        return NIOThreadPool.singleton.runIfActive(eventLoop: eventLoop) {
            var settings = TLSConfiguration.makeClientConfiguration()
            switch self.configuration.tls {
            case .disabled, .verified(authoritiesPath: nil): break
            case .verified(authoritiesPath: .some(let path)): settings.trustRoots = .file(path)
            case .unverified: settings.certificateVerification = .none
            }
            let made = try NIOSSLContext(configuration: settings)
            self.context.withLock { $0 = made }
            return made
        }
    }

    private static func tlsHandler(_ context: NIOSSLContext, _ configuration: RedisConfiguration) throws -> NIOSSLClientHandler {
        guard case .tcp(let host, _) = configuration.address else { return try NIOSSLClientHandler(context: context, serverHostname: nil) }
        // An IP address cannot be named in the handshake; NIOSSL then checks the certificate against the socket's address.
        let isAddress = (try? SocketAddress(ipAddress: host, port: 0)) != nil
        return try NIOSSLClientHandler(context: context, serverHostname: isAddress ? nil : host)
    }

    // MARK: First commands

    private static func greeting(_ configuration: RedisConfiguration) -> RedisBatch {
        var batch = RedisBatch()
        if let password = configuration.password {
            if let user = configuration.username {
                batch.append("AUTH", .string(user), .string(password))
            } else {
                batch.append("AUTH", .string(password))
            }
        }
        if configuration.database != 0 { batch.append("SELECT", .integer(configuration.database)) }
        if !configuration.clientName.isEmpty {
            let name = configuration.clientName.map { ("!"..."~").contains($0) ? $0 : "-" }
            batch.append("CLIENT", "SETNAME", .string(String(name)))
        }
        batch.append("PING")
        return batch
    }

    /// A missing log-in and a server that still loads are found here, where the error is clear, and not at some later command.
    private static func check(_ replies: [RedisValue], _ configuration: RedisConfiguration) throws {
        for (index, reply) in replies.enumerated() {
            guard let error = reply.serverError else { continue }
            let isPing = index == replies.count - 1
            if isPing && error.kind != .noAuth && error.kind != .loading { continue }
            // A user who may not set a name may still do all that matters.
            if error.kind == .noPermission && error.message.lowercased().contains("client|setname") { continue }
            throw RedisError(code: .connectFailed, message: error.message, serverError: error)
        }
    }

    private static func failure(_ error: any Error, _ configuration: RedisConfiguration) -> RedisError {
        let place = "connect \(configuration.address)"
        guard let known = error as? RedisError else {
            return RedisError(code: .connectFailed, message: "no connection", cause: "\(error)", place: place)
        }
        return RedisError(code: .connectFailed, message: known.message, cause: known.cause, place: place, serverError: known.serverError)
    }
}
