internal import CLibpq

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// One `PGconn` and the steps on it. Every method runs on the connection's thread, from its start to its end, and may block there.
///
/// After a failure of the connection, a silence or a cancelled wait the session is *broken*: the socket is closed and nothing more is sent, since
/// what the server would answer next is no longer known.
final class LibpqSession {
    let configuration: PostgresConfiguration
    let failure: LibpqFailure
    var cache: StatementCache
    var mailbox = NotificationMailbox()
    private(set) var connection: OpaquePointer?
    private(set) var broken: PostgresError?
    /// A BEGIN that goes out with the transaction's first statement, which spares a round trip.
    var pendingBegin: String?
    /// Go out in one round trip with the transaction's COMMIT, in front of it.
    var beforeCommit: [PostgresStatement] = []
    /// The same, behind it.
    var afterCommit: [PostgresStatement] = []
    private let pipe: WakePipe
    private var cancelDeadline: ContinuousClock.Instant?
    private var silentSince: ContinuousClock.Instant?

    init(configuration: PostgresConfiguration, pipe: WakePipe) {
        self.configuration = configuration
        self.pipe = pipe
        failure = LibpqFailure(password: configuration.password)
        cache = StatementCache(capacity: configuration.preparedStatementsMax)
    }

    deinit { PQfinish(connection) }

    var transactionStatus: PGTransactionStatusType { connection.map(PQtransactionStatus) ?? PQTRANS_UNKNOWN }
    var socket: Int32 { connection.map(PQsocket) ?? -1 }

    func close(because error: PostgresError) {
        if broken == nil { broken = error }
        PQfinish(connection)
        connection = nil
    }

    /// The open connection, or the reason why there is none.
    func opened() throws(PostgresError) -> OpaquePointer {
        if let broken {
            throw PostgresError(code: .closed, message: "the connection is no longer usable: \(broken.message)")
        }
        guard let connection else { throw PostgresError(code: .closed, message: "the connection is not open") }
        return connection
    }

    /// Ends the session and says why; the error tells whether the statement in flight may have been committed.
    func fail(_ error: PostgresError, mayHaveCommitted: Bool) -> PostgresError {
        var error = error
        error.mayHaveCommitted = mayHaveCommitted
        close(because: error)
        return error
    }

    // MARK: Connecting

    func connect(_ control: OperationControl) throws(PostgresError) {
        let deadline = ContinuousClock.now + configuration.connectTimeout
        let parameters = configuration.parameters
        guard let connection = startConnection(parameters) else {
            throw fail(PostgresError(code: .outOfMemory, message: "libpq has no memory for a connection"), mayHaveCommitted: false)
        }
        self.connection = connection
        var status = PQstatus(connection) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING
        while status != PGRES_POLLING_OK {
            guard status != PGRES_POLLING_FAILED else { throw fail(connectFailure(connection), mayHaveCommitted: false) }
            if control.cancel?.isSet == true {
                throw fail(PostgresError(code: .cancelled, message: "cancelled while connecting to \(configuration)"), mayHaveCommitted: false)
            }
            guard ContinuousClock.now < deadline else {
                let message = "no connection to \(configuration) within \(configuration.connectTimeout)"
                throw fail(PostgresError(code: .timeout, message: message), mayHaveCommitted: false)
            }
            if sleep(for: status == PGRES_POLLING_WRITING ? POLLOUT : POLLIN, until: deadline) != 0 { status = PQconnectPoll(connection) }
        }
        PQsetNoticeProcessor(connection, { _, _ in }, nil)
        guard PQsetnonblocking(connection, 1) == 0 else { throw fail(connectFailure(connection), mayHaveCommitted: false) }
    }

    private func connectFailure(_ connection: OpaquePointer) -> PostgresError {
        let error = failure.error(of: connection, code: .connectionFailure)
        // libpq keeps no SQLSTATE of a refused start; only what callers decide by is told apart.
        let codes: [(String, PostgresErrorCode)] = [
            ("authentication failed", .authenticationFailed), ("no password supplied", .authenticationFailed),
            ("too many clients", .tooManyConnections), ("remaining connection slots", .tooManyConnections),
            ("is starting up", .cannotConnectNow), ("is shutting down", .cannotConnectNow), ("in recovery mode", .cannotConnectNow),
            ("\" does not exist", .undefinedDatabase),
        ]
        let code = codes.first { error.message.contains($0.0) }?.1 ?? .connectionFailure
        return PostgresError(code: code, message: error.message)
    }

    // MARK: Waiting

    /// Waits for the socket. Sends the cancel request when the task is cancelled, and gives up after the grace or the silence.
    ///
    /// Under TLS it may return without an event: libssl can hold a record's rest that the socket no longer shows, so libpq is asked now and then.
    func wait(for events: Int32, _ control: OperationControl, sql: String, mayHaveCommitted: Bool) throws(PostgresError) -> Int32 {
        let start = silentSince ?? .now
        silentSince = start
        let silenceDeadline = start + configuration.silenceTimeout
        let isEncrypted = PQsslInUse(connection) == 1
        while true {
            if cancelDeadline == nil, control.cancel?.isSet == true, let connection {
                let sent = LibpqCancel.request(for: connection)
                cancelDeadline = ContinuousClock.now + (sent ? configuration.cancelGrace : .zero)
            }
            let deadline = min(silenceDeadline, cancelDeadline ?? silenceDeadline)
            guard ContinuousClock.now < deadline else {
                if cancelDeadline != nil { throw fail(cancelled(sql), mayHaveCommitted: mayHaveCommitted) }
                let message = "the server was silent for \(configuration.silenceTimeout)"
                throw fail(PostgresError(code: .timeout, message: message, statement: sql), mayHaveCommitted: mayHaveCommitted)
            }
            let ready = sleep(for: events, until: isEncrypted ? min(deadline, .now + Self.encryptedSlice) : deadline)
            if ready != 0 {
                silentSince = nil
                return ready
            }
            if isEncrypted { return POLLIN }
        }
    }

    private static let encryptedSlice: Duration = .milliseconds(20)

    func cancelled(_ sql: String) -> PostgresError {
        PostgresError(code: .cancelled, message: "the task was cancelled while it waited", statement: sql)
    }

    /// A cancel request may reach the server late and hit whatever runs then, so the connection ends with the operation that it was sent for.
    func endOperation() {
        silentSince = nil
        guard cancelDeadline != nil else { return }
        cancelDeadline = nil
        close(because: cancelled(""))
    }

    /// 0 after a wake-up, a signal or the deadline; otherwise the events of the socket.
    private func sleep(for events: Int32, until deadline: ContinuousClock.Instant) -> Int32 {
        guard socket >= 0 else { return POLLERR }
        var descriptors = (
            pollfd(fd: socket, events: Int16(events), revents: 0), pollfd(fd: pipe.readEnd, events: Int16(POLLIN), revents: 0)
        )
        let (seconds, attoseconds) = (deadline - ContinuousClock.now).components
        let milliseconds = min(max(seconds, 0), 3600) * 1000 + max(attoseconds, 0) / 1_000_000_000_000_000 + 1
        let count = withUnsafeMutableBytes(of: &descriptors) { bytes in
            poll(bytes.assumingMemoryBound(to: pollfd.self).baseAddress, 2, Int32(milliseconds))
        }
        guard count > 0 else { return 0 }
        if descriptors.1.revents != 0 { pipe.drain() }
        return Int32(descriptors.0.revents)
    }
}

private func startConnection(_ parameters: [(keyword: String, value: String)]) -> OpaquePointer? {
    let keywords = parameters.map { strdup($0.keyword) }
    let values = parameters.map { strdup($0.value) }
    defer { for text in keywords + values { free(text) } }
    let keywordPointers = keywords.map { UnsafePointer($0) } + [nil]
    let valuePointers = values.map { UnsafePointer($0) } + [nil]
    return PQconnectStartParams(keywordPointers, valuePointers, 0)
}
