public import Logging
public import NIOCore
public import NIOPosix
import Synchronization

/// A Redis server as callers see it: a few pipelined connections, made when first needed and again after they end.
///
/// It has no task of its own and needs none: each call connects where that is needed, waits for the pause after a failed attempt, and
/// gives up at its own time-out. It never sends a batch twice: whether to try again is the caller's to decide, from
/// ``RedisError/mayHaveExecuted``. Not for Redis Cluster as such: a `MOVED` comes back as a value.
public final class RedisClient: Sendable {
    /// Is given each batch before it is sent, and may throw in its place: a seam for injected faults.
    public typealias Interceptor = @Sendable (RedisBatch) async throws(RedisError) -> Void

    public let configuration: RedisConfiguration
    private let connector: RedisConnector
    private let slots: [ConnectionSlot]
    private let intercept: Interceptor?
    private let turn = Atomic<Int>(0)
    private let dedicated: Mutex<(policy: ReconnectPolicy, isShutDown: Bool)>

    public init(
        _ configuration: RedisConfiguration, logger: Logger = Logger(label: "weir.redis"),
        group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton, intercept: Interceptor? = nil
    ) {
        self.configuration = configuration
        self.intercept = intercept
        let connector = RedisConnector(configuration: configuration, group: group)
        self.connector = connector
        slots = (0..<min(max(configuration.connectionCount, 1), 64)).map { _ in ConnectionSlot(connector: connector, logger: logger) }
        let policy = ReconnectPolicy(min: TimeAmount(configuration.reconnectDelayMin), max: TimeAmount(configuration.reconnectDelayMax))
        dedicated = Mutex((policy, false))
    }

    /// Sends a batch over one of the connections and waits for all its replies, one a command, in order.
    ///
    /// A server's error for one command is a value among the replies.
    /// - Parameters:
    ///   - affinity: batches with the same number use the same connection while it lasts; nil takes them in turn.
    ///   - timeout: from now to the last reply, connecting included; `commandTimeout` where nil.
    public func send(_ batch: RedisBatch, affinity: Int? = nil, timeout: Duration? = nil) async throws(RedisError) -> [RedisValue] {
        guard !batch.isEmpty else { return [] }
        try await intercept?(batch)
        let limit = timeout ?? configuration.commandTimeout
        let deadline = NIODeadline.now() + TimeAmount(limit)
        let number = affinity ?? turn.wrappingAdd(1, ordering: .relaxed).oldValue
        let connection = try await slots[Int(UInt(bitPattern: number) % UInt(slots.count))].connection(by: deadline)
        let left = deadline - .now()
        return try await connection.send(batch, timeout: .nanoseconds(max(left.nanoseconds, 0)))
    }

    /// Sends one command. Unlike in a batch, a server's error is thrown.
    @discardableResult
    public func send(_ command: RedisCommand, affinity: Int? = nil, timeout: Duration? = nil) async throws(RedisError) -> RedisValue {
        try await send(RedisBatch(command), affinity: affinity, timeout: timeout).single(command, configuration)
    }

    /// Gives `body` a connection that nobody else uses, for blocking commands, and closes it at the end.
    ///
    /// With a blocking command, pass `send` a `timeout` that is longer than the command's own. After failed attempts a pause comes before the
    /// next, shared by all dedicated connections, so a caller may simply try again in a loop.
    nonisolated(nonsending) public func withDedicatedConnection<Result>(
        _ body: (RedisConnection) async throws -> Result
    ) async throws -> Result {
        let connection = try await openDedicated()
        do {
            let result = try await body(connection)
            await connection.close()
            return result
        } catch {
            await connection.close()
            throw error
        }
    }

    /// Closes the shared connections; later calls get `shutDown`. Dedicated connections end with their bodies.
    public func shutDown() async {
        dedicated.withLock { $0.isShutDown = true }
        for slot in slots { await slot.shutDown() }
    }

    private func openDedicated() async throws(RedisError) -> RedisConnection {
        let (pause, isShutDown) = dedicated.withLock { ($0.policy.wait(now: .now()), $0.isShutDown) }
        if isShutDown { throw RedisError(code: .shutDown, message: "the client was shut down") }
        if pause > .nanoseconds(0) {
            do {
                try await Task.sleep(for: .nanoseconds(pause.nanoseconds))
            } catch {
                throw RedisError(code: .cancelled, message: "cancelled before a connection was tried", place: "connect \(configuration.address)")
            }
        }
        do {
            let connection = try await connector.connect()
            dedicated.withLock { $0.policy.succeeded() }
            return connection
        } catch {
            if error.code != .cancelled { dedicated.withLock { $0.policy.failed(now: .now(), random: .random(in: 0...1)) } }
            throw error
        }
    }
}
