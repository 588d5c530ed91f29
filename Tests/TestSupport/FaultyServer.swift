import NIOCore
import NIOPosix
import Synchronization

/// A TCP server on the loopback address that misbehaves: a proxy that cuts or falls silent, or a peer that answers nonsense.
///
/// The fault of a connection is the one that is set when its bytes arrive, so a test may change it in mid-connection.
public final class FaultyServer: Sendable {
    public enum Fault: Sendable {
        /// Passes bytes both ways; without a target: swallows them.
        case none
        /// Passes this many bytes of replies (counted from the moment the fault is set), then closes.
        case cutReplies(afterBytes: Int)
        /// Answers each arrival of bytes with these, and passes nothing on.
        case answer([UInt8])
        /// Accepts and reads, and never says a word.
        case silent
        /// Closes each connection as soon as it is made.
        case refuse
    }

    struct State {
        var fault: Fault
        var replyBytesLeft: Int?
        var connections: [ObjectIdentifier: any Channel] = [:]
        var accepted = 0
        var received = 0
    }

    let state: Mutex<State>
    private let target: (host: String, port: Int)?
    private let listener: Mutex<(any Channel)?> = Mutex(nil)

    /// Starts to listen; `target` is where a proxy passes bytes to.
    public static func start(target: (host: String, port: Int)? = nil, fault: Fault = .none) async throws -> FaultyServer {
        let server = FaultyServer(target: target, fault: fault)
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.autoRead, value: false)
            .childChannelInitializer { channel in server.accept(channel) }
            .bind(host: "127.0.0.1", port: 0).get()
        server.listener.withLock { $0 = channel }
        return server
    }

    private init(target: (host: String, port: Int)?, fault: Fault) {
        self.target = target
        state = Mutex(State(fault: fault, replyBytesLeft: fault.replyBytes))
    }

    public var port: Int { listener.withLock { $0?.localAddress?.port ?? 0 } }
    /// How many connections were made so far.
    public var accepted: Int { state.withLock { $0.accepted } }
    /// How many bytes arrived from clients so far.
    public var receivedBytes: Int { state.withLock { $0.received } }

    public func set(_ fault: Fault) {
        state.withLock {
            $0.fault = fault
            $0.replyBytesLeft = fault.replyBytes
        }
    }

    /// Closes every open connection; the server goes on to listen.
    public func closeConnections() async {
        for channel in state.withLock({ Array($0.connections.values) }) { try? await channel.close() }
    }

    public func stop() async {
        let channel = listener.withLock { $0 }
        try? await channel?.close()
        await closeConnections()
    }

    private func accept(_ channel: any Channel) -> EventLoopFuture<Void> {
        let refuses = state.withLock { state in
            state.accepted += 1
            state.connections[ObjectIdentifier(channel)] = channel
            if case .refuse = state.fault { return true }
            return false
        }
        channel.closeFuture.whenComplete { [weak self] _ in
            self?.state.withLock { _ = $0.connections.removeValue(forKey: ObjectIdentifier(channel)) }
        }
        if refuses { return channel.close() }
        return channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(FaultyPeer(server: self, target: target)) }
    }
}

extension FaultyServer.Fault {
    fileprivate var replyBytes: Int? {
        if case .cutReplies(let count) = self { return count }
        return nil
    }
}
