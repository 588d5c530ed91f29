import NIOCore
import Synchronization

/// One socket to Redis. Batches are pipelined: several may be unanswered at once, and each gets its own replies in order.
///
/// Whoever gives up on a batch that is on the wire (a time-out, a cancelled task) ends the connection, since its late replies could be
/// taken for another batch's. A connection that ended stays ended; ``RedisClient`` makes new ones.
public final class RedisConnection: Sendable {
    public let configuration: RedisConfiguration
    private let channel: any Channel
    private let handler: NIOLoopBound<RedisChannelHandler>
    private let lastID = Atomic<UInt64>(0)

    init(configuration: RedisConfiguration, channel: any Channel, handler: NIOLoopBound<RedisChannelHandler>) {
        self.configuration = configuration
        self.channel = channel
        self.handler = handler
    }

    /// Connects and logs in, without a client around it. Close it at the end.
    public static func connect(_ configuration: RedisConfiguration) async throws(RedisError) -> RedisConnection {
        try await RedisConnector(configuration: configuration).connect()
    }

    /// False once the socket has ended; true says nothing about the next moment.
    public var isOpen: Bool { channel.isActive }

    /// Sends a batch and waits for all its replies, one a command, in order. A server's error for one command is a value among them.
    ///
    /// Waits for its turn where too many batches or bytes are unanswered already.
    /// - Parameter timeout: from now to the last reply, the wait for its turn included; `commandTimeout` where nil. With a blocking command
    ///   it must be longer than the command's own.
    /// - Throws: a ``RedisError`` that says in `mayHaveExecuted` whether anything may have been run, and in `answered` what was.
    public func send(_ batch: RedisBatch, timeout: Duration? = nil) async throws(RedisError) -> [RedisValue] {
        guard !batch.isEmpty else { return [] }
        let id = lastID.wrappingAdd(1, ordering: .relaxed).newValue
        let deadline = NIODeadline.now() + TimeAmount(timeout ?? configuration.commandTimeout)
        let (handler, eventLoop) = (handler, channel.eventLoop)
        let cancellation = CancellationFlag()
        let result: Result<[RedisValue], RedisError> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                eventLoop.execute {
                    if cancellation.isSet {
                        let place = "\(batch.label) \(self.configuration.address)"
                        continuation.resume(returning: .failure(RedisError(code: .cancelled, message: "cancelled before it was sent", place: place)))
                    } else {
                        handler.value.submit(batch, id: id, deadline: deadline, .task(continuation))
                    }
                }
            }
        } onCancel: {
            // Set first: whichever of the two closures runs later on the loop sees what the other did.
            cancellation.set()
            eventLoop.execute { handler.value.abandon(id, .cancelled, "the waiting task was cancelled") }
        }
        return try result.get()
    }

    /// Sends one command. Unlike in a batch, a server's error is thrown.
    @discardableResult
    public func send(_ command: RedisCommand, timeout: Duration? = nil) async throws(RedisError) -> RedisValue {
        try await send(RedisBatch(command), timeout: timeout).single(command, configuration)
    }

    /// Closes the socket; whoever still waits gets `connectionClosed`.
    public func close() async {
        let handler = handler
        channel.eventLoop.execute { handler.value.close() }
        try? await channel.closeFuture.get()
    }

    /// For the first commands of a connection, which no task waits for.
    func submit(_ batch: RedisBatch, deadline: NIODeadline) -> EventLoopFuture<[RedisValue]> {
        let promise = channel.eventLoop.makePromise(of: [RedisValue].self)
        let id = lastID.wrappingAdd(1, ordering: .relaxed).newValue
        let handler = handler
        channel.eventLoop.execute { handler.value.submit(batch, id: id, deadline: deadline, .promise(promise)) }
        return promise.futureResult
    }

    func closeSoon() {
        let handler = handler
        channel.eventLoop.execute { handler.value.close() }
    }
}

extension [RedisValue] {
    /// The reply of a batch of one command, its error thrown.
    func single(_ command: RedisCommand, _ configuration: RedisConfiguration) throws(RedisError) -> RedisValue {
        let place = "\(command.name) \(configuration.address)"
        guard let value = first else { throw RedisError(code: .unexpectedReply, message: "no reply", place: place) }
        if case .error(let error) = value { throw RedisError(error, place: place) }
        return value
    }
}

/// Whether the task that waits for a batch was cancelled.
private final class CancellationFlag: Sendable {
    private let value = Atomic<Bool>(false)
    var isSet: Bool { value.load(ordering: .acquiring) }
    func set() { value.store(true, ordering: .releasing) }
}
