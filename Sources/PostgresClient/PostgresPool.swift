public import Logging
public import ServiceLifecycle
internal import Synchronization

/// A bounded set of connections, made when they are needed and replaced when they break.
///
/// Callers wait in the order in which they came, for at most `acquireTimeout`. A connection is made by the caller that got the place for it, so a pool
/// has no task of its own; while the server is away attempts are spaced by a jittered, capped backoff. ``run()`` only waits for the end of the process
/// and closes the pool then; a pool that no service group runs is ended by ``close()``.
public final class PostgresPool: Service {
    public struct Options: Sendable {
        /// Connections, 1 to 1000. Each has a thread.
        public var connectionsMax = 8
        /// For a connection to become free or to be made, attempts that failed included.
        public var acquireTimeout: Duration = .seconds(10)
        /// A connection that was idle for longer is looked at before it is used.
        public var checkedAfterIdle: Duration = .seconds(1)

        public init() {}
    }

    public let configuration: PostgresConfiguration
    public let options: Options
    private let logger: Logger
    private let backoff = PostgresBackoff()
    private let state: Mutex<PoolState<PostgresConnection, PoolWaiter>>

    public init(configuration: PostgresConfiguration, options: Options = Options(), logger: Logger) {
        self.configuration = configuration
        self.options = options
        self.logger = logger
        state = Mutex(PoolState(size: options.connectionsMax))
    }

    /// Waits for the graceful shutdown or the cancellation of the task, then closes the pool.
    public func run() async throws {
        try? await gracefulShutdown()
        await close()
    }

    /// Refuses every caller from now on, ends the idle connections, and those in use when they come back. Never waits for a statement.
    public func close() async {
        let (waiters, connections) = state.withLock { $0.close() }
        for waiter in waiters { waiter.continuation.resume(returning: .closed) }
        for connection in connections { await connection.close() }
    }

    /// Lends a connection to the body. One that comes back broken or inside a transaction is ended and replaced.
    ///
    /// Throws ``PostgresErrorCode/poolExhausted`` after `acquireTimeout`, the last failure of connecting when that is the reason,
    /// ``PostgresErrorCode/closed`` after ``close()``, and whatever the body throws.
    public nonisolated(nonsending) func withConnection<Value>(
        _ body: nonisolated(nonsending) (PostgresConnection) async throws -> Value
    ) async throws -> Value {
        let connection = try await acquire()
        do {
            let value = try await body(connection)
            await release(connection)
            return value
        } catch {
            await release(connection)
            throw error
        }
    }

    /// A connection and a transaction on it: COMMIT when the body returns, ROLLBACK when it throws. See ``PostgresConnection/transaction(isolation:_:)``.
    public nonisolated(nonsending) func transaction<Value>(
        isolation level: PostgresIsolation = .readCommitted, _ body: nonisolated(nonsending) (PostgresConnection) async throws -> Value
    ) async throws -> Value {
        try await withConnection { connection in try await connection.transaction(isolation: level, body) }
    }

    public nonisolated(nonsending) func query(_ sql: String, _ parameters: [PostgresParameter] = []) async throws -> PostgresRows {
        try await withConnection { connection in try await connection.query(sql, parameters) }
    }

    public nonisolated(nonsending) func pipeline(_ statements: [PostgresStatement]) async throws -> [PostgresRows] {
        try await withConnection { connection in try await connection.pipeline(statements) }
    }

    @discardableResult
    public nonisolated(nonsending) func execute(_ sql: String) async throws -> Int {
        try await withConnection { connection in try await connection.execute(sql) }
    }

    /// Callers that wait at this moment, for metrics.
    public var waiterCount: Int { state.withLock { $0.waiterCount } }
    /// Connections lent out at this moment, for metrics.
    public var busyCount: Int { state.withLock { $0.busyCount } }

    // MARK: Places

    private func acquire() async throws(PostgresError) -> PostgresConnection {
        if Task.isCancelled { throw PostgresError(code: .cancelled, message: "the task was cancelled before it asked for a connection") }
        let deadline = ContinuousClock.now + options.acquireTimeout
        var grant = state.withLock { $0.acquire() }
        if grant == nil { grant = await wait(until: deadline) }
        switch grant {
        case .connection(let connection, let idleSince):
            let isFresh = ContinuousClock.now - idleSince < options.checkedAfterIdle
            if isFresh ? connection.isUsable : await connection.isAlive() { return connection }
            await connection.close()
            return try await connect(until: deadline)
        case .place:
            return try await connect(until: deadline)
        case .closed:
            throw PostgresError(code: .closed, message: "the pool is closed")
        case nil:
            if Task.isCancelled { throw PostgresError(code: .cancelled, message: "the task was cancelled while it waited for a connection") }
            let message = "none of \(options.connectionsMax) connections became free within \(options.acquireTimeout)"
            throw PostgresError(code: .poolExhausted, message: message)
        }
    }

    /// Nil after the deadline or in a cancelled task.
    private func wait(until deadline: ContinuousClock.Instant) async -> PoolGrant<PostgresConnection>? {
        let id = state.withLock { $0.freshWaiterID() }
        return await withTaskGroup(of: Void.self) { group in
            group.addTask {
                try? await Task.sleep(until: deadline, clock: .continuous)
                self.abandon(id)
            }
            defer { group.cancelAll() }
            return await withTaskCancellationHandler {
                await withCheckedContinuation { (continuation: CheckedContinuation<PoolGrant<PostgresConnection>?, Never>) in
                    let grant = state.withLock { $0.wait(id, PoolWaiter(continuation: continuation)) }
                    if let grant { continuation.resume(returning: grant) }
                    // The deadline or the handler may have come before the waiter was in place.
                    if grant == nil, Task.isCancelled || ContinuousClock.now >= deadline { abandon(id) }
                }
            } onCancel: {
                abandon(id)
            }
        }
    }

    private func abandon(_ id: UInt64) {
        state.withLock { $0.abandon(id) }?.continuation.resume(returning: nil)
    }

    /// Fills a place with a connection, or gives the place back.
    private func connect(until deadline: ContinuousClock.Instant) async throws(PostgresError) -> PostgresConnection {
        while true {
            if state.withLock({ $0.isClosed }) {
                releasePlace()
                throw PostgresError(code: .closed, message: "the pool is closed")
            }
            do {
                let connection = try await PostgresConnection.connect(configuration)
                state.withLock { $0.connectSucceeded() }
                return connection
            } catch {
                let failures = state.withLock { state in
                    state.connectFailed()
                    return state.failures
                }
                logger.debug("no connection to Postgres", metadata: ["error": "\(error)", "failures": "\(failures)"])
                let delay = backoff.delay(failures: failures, draw: Double.random(in: 0..<1))
                guard error.isRetryable, ContinuousClock.now + delay < deadline, (try? await Task.sleep(for: delay)) != nil else {
                    releasePlace()
                    throw error
                }
            }
        }
    }

    private func releasePlace() {
        hand(state.withLock { $0.releasePlace() })
    }

    private func release(_ connection: PostgresConnection) async {
        let isClosed = state.withLock { $0.isClosed }
        guard connection.isUsable, !connection.isInTransaction, !isClosed else {
            if connection.isInTransaction { logger.warning("a Postgres connection came back inside a transaction and was ended") }
            await connection.close()
            releasePlace()
            return
        }
        hand(state.withLock { $0.release(connection, now: .now) })
    }

    private func hand(_ next: (waiter: PoolWaiter, grant: PoolGrant<PostgresConnection>)?) {
        guard let next else { return }
        next.waiter.continuation.resume(returning: next.grant)
    }
}
