import Logging
import NIOCore
import Synchronization

/// One place of a client's pool: a connection that is made when it is first asked for, and again after it ended.
///
/// All who ask while an attempt runs, or while its pause lasts, share that attempt.
final class ConnectionSlot: Sendable {
    private enum Phase {
        case idle
        case connecting(EventLoopFuture<RedisConnection>)
        case connected(RedisConnection)
        case shutDown
    }

    private struct State {
        var phase = Phase.idle
        var policy: ReconnectPolicy
    }

    private enum Start {
        case ready(RedisConnection)
        case wait(EventLoopFuture<RedisConnection>)
        case attempt(EventLoopPromise<RedisConnection>, after: TimeAmount)
        case refuse
    }

    private let connector: RedisConnector
    private let eventLoop: any EventLoop
    private let logger: Logger
    private let state: Mutex<State>

    init(connector: RedisConnector, logger: Logger) {
        self.connector = connector
        self.logger = logger
        eventLoop = connector.group.next()
        let configuration = connector.configuration
        let policy = ReconnectPolicy(min: TimeAmount(configuration.reconnectDelayMin), max: TimeAmount(configuration.reconnectDelayMax))
        state = Mutex(State(policy: policy))
    }

    private var place: String { "connect \(connector.configuration.address)" }

    /// The open connection, else a new one: waits for the pause after a failed attempt, and for the attempt, until the deadline.
    func connection(by deadline: NIODeadline) async throws(RedisError) -> RedisConnection {
        switch start() {
        case .ready(let connection): return connection
        case .wait(let future): return try await future.value(by: deadline, place: place)
        case .attempt(let promise, let pause):
            attempt(promise, after: pause)
            return try await promise.futureResult.value(by: deadline, place: place)
        case .refuse: throw RedisError(code: .shutDown, message: "the client was shut down", place: place)
        }
    }

    func shutDown() async {
        let phase = state.withLock { state in
            defer { state.phase = .shutDown }
            return state.phase
        }
        switch phase {
        case .connected(let connection): await connection.close()
        case .connecting(let future): future.whenSuccess { $0.closeSoon() }
        case .idle, .shutDown: break
        }
    }

    private func start() -> Start {
        state.withLock { state in
            switch state.phase {
            case .shutDown: return .refuse
            case .connecting(let future): return .wait(future)
            case .connected(let connection) where connection.isOpen: return .ready(connection)
            case .idle, .connected:
                let promise = eventLoop.makePromise(of: RedisConnection.self)
                state.phase = .connecting(promise.futureResult)
                return .attempt(promise, after: state.policy.wait(now: .now()))
            }
        }
    }

    private func attempt(_ promise: EventLoopPromise<RedisConnection>, after pause: TimeAmount) {
        let (connector, eventLoop) = (connector, eventLoop)
        eventLoop.flatScheduleTask(in: pause) { connector.connect(on: eventLoop) }
            .futureResult.whenComplete { result in
                self.ended(result)
                promise.completeWith(result)
            }
    }

    private func ended(_ result: Result<RedisConnection, any Error>) {
        let failures = state.withLock { state in
            let before = state.policy.failures
            if case .shutDown = state.phase { return before }
            switch result {
            case .success(let connection):
                state.phase = .connected(connection)
                state.policy.succeeded()
            case .failure:
                state.phase = .idle
                state.policy.failed(now: .now(), random: .random(in: 0...1))
            }
            return before
        }
        switch result {
        case .success where failures > 0:
            logger.info("redis is back", metadata: ["redis": "\(connector.configuration)", "attempts": "\(failures + 1)"])
        case .success: break
        case .failure(let error):
            logger.log(
                level: failures == 0 ? .warning : .debug, "no connection to redis",
                metadata: ["redis": "\(connector.configuration)", "attempts": "\(failures + 1)", "error": "\(error)"])
        }
    }
}
