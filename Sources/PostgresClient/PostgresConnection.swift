internal import CLibpq
internal import Logging

/// One connection to a server, on a thread of its own. Operations run one after the other, in the order in which they were asked for.
///
/// A cancelled wait ends the connection: the cancel request may reach the server late, and would hit the next statement. So does a silence, a lost
/// socket and an answer that is not the protocol. An error of the server (a constraint, a lock timeout) does not.
public actor PostgresConnection {
    /// Statements of one pipeline.
    public static let pipelineStatementsMax = 1024

    private let executor: ConnectionExecutor
    private let session: LibpqSession
    private let condition = ConnectionCondition()
    /// The server's process id of this session, 0 before it is open.
    public private(set) var backendID: Int32 = 0

    public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// False after a failure that ended the connection.
    public nonisolated var isUsable: Bool { condition.current != .broken }
    nonisolated var isInTransaction: Bool { condition.current == .inTransaction }

    /// Connects within `connectTimeout`. Looking up the host's name may take longer: libpq does it without a way to end it.
    public static func connect(_ configuration: PostgresConfiguration) async throws(PostgresError) -> PostgresConnection {
        guard let executor = ConnectionExecutor.start() else {
            throw PostgresError(code: .connectionFailure, message: "no file descriptor or thread is left for a connection")
        }
        let connection = PostgresConnection(executor: executor, configuration: configuration)
        try await connection.open()
        return connection
    }

    private init(executor: ConnectionExecutor, configuration: PostgresConfiguration) {
        self.executor = executor
        session = LibpqSession(configuration: configuration, pipe: executor.pipe)
    }

    deinit { executor.stop() }

    private func open() async throws(PostgresError) {
        try await perform { (session, control) throws(PostgresError) in try session.connect(control) }
        backendID = session.connection.map(PQbackendPID) ?? 0
    }

    /// Runs one statement and returns its rows. It is prepared once and kept by its text and parameter types, so texts must not hold values.
    public func query(_ sql: String, _ parameters: [PostgresParameter] = []) async throws(PostgresError) -> PostgresRows {
        let rows = try await pipeline([PostgresStatement(sql, parameters)])
        guard let first = rows.first else { throw PostgresError(code: .connectionFailure, message: "no answer came", statement: sql) }
        return first
    }

    /// Runs up to ``pipelineStatementsMax`` statements in one round trip. Outside of a transaction they are one of their own: all or none.
    ///
    /// Throws the first failure with its `statementIndex`; the statements behind it did not run. Not for COPY.
    public func pipeline(_ statements: [PostgresStatement]) async throws(PostgresError) -> [PostgresRows] {
        try await perform { (session, control) throws(PostgresError) in try session.pipeline(statements, control) }
    }

    /// Runs a script: one or more statements without parameters, by the simple protocol. Returns the number of rows that the last one changed.
    @discardableResult
    public func execute(_ sql: String) async throws(PostgresError) -> Int {
        try await perform { (session, control) throws(PostgresError) in try session.execute(sql, control) }
    }

    /// Sends nothing yet: the BEGIN goes with the first statement.
    func beginTransaction(_ level: PostgresIsolation) throws(PostgresError) {
        _ = try session.opened()
        guard session.transactionStatus == PQTRANS_IDLE, session.pendingBegin == nil else {
            throw PostgresError(code: .misuse, message: "a transaction is open on this connection")
        }
        session.pendingBegin = "BEGIN ISOLATION LEVEL \(level.rawValue)"
    }

    /// Sends the statement as the last of the open transaction, in one round trip with the COMMIT, in front of it: its locks are held for no longer.
    ///
    /// Where it fails nothing is committed, and the transaction throws its error. At most 16 in a transaction.
    public func beforeCommit(_ statement: PostgresStatement) throws(PostgresError) {
        _ = try session.opened()
        guard session.beforeCommit.count < 16 else {
            throw PostgresError(code: .misuse, message: "more than 16 statements in front of one COMMIT", statement: statement.sql)
        }
        session.beforeCommit.append(statement)
    }

    /// Sends the statement in one round trip with the COMMIT of the open transaction, behind it, so that it sees and tells only what is committed.
    ///
    /// For wake-ups: its failure is not reported, and after a rollback it is forgotten. At most 16 in a transaction.
    public func afterCommit(_ statement: PostgresStatement) throws(PostgresError) {
        _ = try session.opened()
        guard session.afterCommit.count < 16 else {
            throw PostgresError(code: .misuse, message: "more than 16 statements behind one COMMIT", statement: statement.sql)
        }
        session.afterCommit.append(statement)
    }

    /// Carried through also in a cancelled task: its outcome must be known.
    private func commit() async throws(PostgresError) {
        try await perform(isCancellable: false) { (session, control) throws(PostgresError) in try session.commit(control) }
    }

    private func sendRollback() async throws(PostgresError) {
        try await perform(isCancellable: false) { (session, control) throws(PostgresError) in try session.rollback(control) }
    }

    /// Runs `COPY … FROM STDIN` and returns the number of rows. Cancelling the task ends the COPY without a row.
    ///
    /// At most one chunk is held by the client at a time, beside those of the sequence itself.
    @discardableResult
    public func copyIn(_ sql: String, chunks: some Sequence<[UInt8]> & Sendable) async throws(PostgresError) -> Int {
        try await perform { (session, control) throws(PostgresError) in try session.copyIn(sql, chunks, control) }
    }

    @discardableResult
    public func copyIn(_ sql: String, _ writer: BinaryCopyWriter) async throws(PostgresError) -> Int {
        try await copyIn(sql, chunks: writer.chunks())
    }

    /// Runs the body in a transaction: COMMIT when it returns, ROLLBACK when it throws.
    ///
    /// COMMIT is carried through also when the task is cancelled meanwhile. Where it fails the error says whether it may have been done.
    /// The body's own error is thrown as it is; a failing ROLLBACK ends the connection, which does the same.
    public nonisolated(nonsending) func transaction<Value>(
        isolation level: PostgresIsolation = .readCommitted, _ body: nonisolated(nonsending) (PostgresConnection) async throws -> Value
    ) async throws -> Value {
        try await beginTransaction(level)
        let value: Value
        do {
            value = try await body(self)
        } catch {
            await rollback()
            throw error
        }
        if Task.isCancelled {
            await rollback()
            throw PostgresError(code: .cancelled, message: "the task was cancelled before the commit")
        }
        do {
            try await commit()
        } catch {
            await rollback()
            throw error
        }
        return value
    }

    /// Ends an open transaction, whatever it takes.
    nonisolated(nonsending) func rollback() async {
        guard isUsable else { return }
        do {
            try await sendRollback()
        } catch {
            await close()
        }
    }

    /// Listens for the channels and returns what comes. One reader at a time; keep such a connection out of a pool.
    public func notifications(on channels: [String]) async throws(PostgresError) -> PostgresNotifications {
        var statements: [String] = []
        for channel in channels { statements.append(try session.listenStatement(channel)) }
        if !statements.isEmpty { try await execute(statements.joined(separator: ";")) }
        return PostgresNotifications(connection: self)
    }

    func nextNotification() async throws(PostgresError) -> PostgresNotifications.Element? {
        while !Task.isCancelled {
            if let element = session.mailbox.next() { return element }
            _ = try session.opened()
            guard session.takeInput() else {
                condition.current = .broken
                throw session.broken ?? PostgresError(code: .closed, message: "the connection is closed")
            }
            if let element = session.mailbox.next() { return element }
            await executor.waitUntilReadable(session.socket)
        }
        return nil
    }

    /// Whether the socket is still open, as far as this side can know without asking the server.
    func isAlive() -> Bool {
        guard isUsable else { return false }
        if !session.takeInput() { condition.current = .broken }
        return isUsable
    }

    /// Ends the session. Operations that follow fail with ``PostgresErrorCode/closed``.
    public func close() {
        session.close(because: PostgresError(code: .closed, message: "it was closed"))
        condition.current = .broken
        executor.endWatch()
    }

    /// Runs one operation from start to end on the connection's thread. The cancel handler only rings: the thread itself decides what to send.
    private func perform<Value>(
        isCancellable: Bool = true, _ operation: (LibpqSession, OperationControl) throws(PostgresError) -> Value
    ) async throws(PostgresError) -> Value {
        let signal = CancelSignal(waking: executor.pipe)
        let control = OperationControl(cancel: isCancellable ? signal : nil)
        let result = await withTaskCancellationHandler {
            // Only a closure that captures `self` stays on the actor's executor; any other would block a thread of the cooperative pool.
            Result { () throws(PostgresError) in try operation(self.session, control) }
        } onCancel: {
            signal.set()
        }
        publishCondition()
        return try result.get()
    }

    private func publishCondition() {
        switch session.transactionStatus {
        case PQTRANS_IDLE: condition.current = .idle
        case PQTRANS_INTRANS, PQTRANS_INERROR: condition.current = .inTransaction
        default: condition.current = .broken
        }
        // Notifications that came with answers wait in the mailbox, not in the socket.
        if condition.current == .broken || session.mailbox.hasElements { executor.endWatch() }
    }
}
