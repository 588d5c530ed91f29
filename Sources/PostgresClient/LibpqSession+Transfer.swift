internal import CLibpq

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// The operation under way, for its errors.
struct InFlight {
    var sql: String
    /// Whether the server may have committed something if the connection is lost now.
    var mayHaveCommitted: Bool
}

extension LibpqSession {
    /// Inside a transaction only its COMMIT can make anything last; outside of one every statement does.
    func mayCommit(_ statements: [String]) -> Bool {
        func begins(_ sql: String, _ word: String) -> Bool {
            sql.drop(while: \.isWhitespace).prefix(word.count).uppercased() == word
        }
        let status = transactionStatus
        let isInside = status == PQTRANS_INTRANS || status == PQTRANS_INERROR || statements.first.map { begins($0, "BEGIN") } ?? false
        return !isInside || statements.contains { begins($0, "COMMIT") || begins($0, "END") }
    }

    /// Ends the session after a failure of libpq or of the connection. A server's own last words (`known`) say more than libpq's.
    func lost(_ inFlight: InFlight, _ known: PostgresError? = nil) -> PostgresError {
        var error = known ?? failure.error(of: connection, code: .connectionFailure)
        error.statement = error.statement.isEmpty ? inFlight.sql : error.statement
        return fail(error, mayHaveCommitted: inFlight.mayHaveCommitted)
    }

    func lost(_ inFlight: InFlight, _ result: OpaquePointer) -> PostgresError {
        let status = PQresStatus(PQresultStatus(result)).map { String(cString: $0) } ?? "?"
        var message = "the server answered with \(status), which is not expected here"
        if PQresultStatus(result) == PGRES_COPY_IN || PQresultStatus(result) == PGRES_COPY_OUT { message = "COPY must go through copyIn" }
        return lost(inFlight, PostgresError(code: .misuse, message: message, statement: inFlight.sql))
    }

    /// Sends what libpq holds, taking in what the server sends meanwhile, so that neither side waits for the other for ever.
    func flush(_ control: OperationControl, _ inFlight: InFlight) throws(PostgresError) {
        while let connection {
            switch PQflush(connection) {
            case 0: return
            case 1:
                let ready = try wait(for: POLLIN | POLLOUT, control, sql: inFlight.sql, mayHaveCommitted: inFlight.mayHaveCommitted)
                if ready & ~POLLOUT != 0, PQconsumeInput(connection) != 1 { return }
            default:
                // The server may have said why before it closed the socket: reading the answer tells.
                _ = PQconsumeInput(connection)
                return
            }
        }
    }

    /// The next result of the present command, nil behind its last one. The caller clears it.
    func nextResult(_ control: OperationControl, _ inFlight: InFlight) throws(PostgresError) -> OpaquePointer? {
        guard let connection else { throw lost(inFlight) }
        while PQisBusy(connection) == 1 {
            _ = try wait(for: POLLIN, control, sql: inFlight.sql, mayHaveCommitted: inFlight.mayHaveCommitted)
            // After a failure the results hold what the server or libpq has to say about it.
            if PQconsumeInput(connection) != 1 { break }
        }
        guard let result = PQgetResult(connection) else {
            if PQstatus(connection) == CONNECTION_BAD { throw lost(inFlight) }
            return nil
        }
        return result
    }

    /// Runs a script of one or more statements without parameters (simple protocol) and returns the rows that the last one changed.
    func execute(_ sql: String, _ control: OperationControl) throws(PostgresError) -> Int {
        let connection = try opened()
        if control.cancel?.isSet == true { throw cancelled(sql) }
        try sendPendingBegin(control)
        let inFlight = InFlight(sql: sql, mayHaveCommitted: mayCommit([sql]))
        defer { endOperation() }
        guard PQsendQuery(connection, sql) == 1 else { throw lost(inFlight) }
        try flush(control, inFlight)
        return try readCommand(control, inFlight)
    }

    /// COMMIT; nothing where the transaction's BEGIN was never sent.
    ///
    /// A server answers the COMMIT of a failed transaction with a rollback and no error: that is an error here.
    func commit(_ control: OperationControl) throws(PostgresError) {
        let leaders = beforeCommit
        let followers = afterCommit
        beforeCommit = []
        afterCommit = []
        if pendingBegin != nil, leaders.isEmpty {
            pendingBegin = nil
            return
        }
        _ = try opened()
        try sendPendingBegin(control)
        guard transactionStatus == PQTRANS_INTRANS else {
            throw PostgresError(code: .inFailedTransaction, message: "a statement of the transaction failed: it cannot be committed")
        }
        do {
            _ = try pipeline(leaders + [PostgresStatement("COMMIT")] + followers, control)
        } catch {
            // Behind the COMMIT: it is done, and what follows it is never more than a hint.
            if let index = error.statementIndex, index > leaders.count, broken == nil { return }
            throw error
        }
    }

    func rollback(_ control: OperationControl) throws(PostgresError) {
        beforeCommit = []
        afterCommit = []
        if pendingBegin != nil {
            pendingBegin = nil
        } else {
            _ = try execute("ROLLBACK", control)
        }
    }

    private func sendPendingBegin(_ control: OperationControl) throws(PostgresError) {
        guard let begin = pendingBegin else { return }
        pendingBegin = nil
        _ = try execute(begin, control)
    }

    /// Reads a command's results to the end. The connection is usable afterwards unless it is lost.
    private func readCommand(_ control: OperationControl, _ inFlight: InFlight) throws(PostgresError) -> Int {
        var affected = 0
        var error: PostgresError?
        while let result = try nextResult(control, inFlight) {
            defer { PQclear(result) }
            switch PQresultStatus(result) {
            case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY:
                affected = PQcmdTuples(result).flatMap { Int(String(cString: $0)) } ?? 0
            case PGRES_FATAL_ERROR:
                error = error ?? failure.error(of: result, sql: inFlight.sql, index: nil)
            default:
                throw lost(inFlight, result)
            }
            if PQstatus(connection) == CONNECTION_BAD { throw lost(inFlight, error) }
        }
        drainNotifications()
        if let error { throw error.code == .queryCancelled && control.cancel?.isSet == true ? cancelled(inFlight.sql) : error }
        return affected
    }

    /// Runs `COPY … FROM STDIN` with the chunks as its input and returns the number of rows.
    func copyIn(_ sql: String, _ chunks: some Sequence<[UInt8]>, _ control: OperationControl) throws(PostgresError) -> Int {
        let connection = try opened()
        if control.cancel?.isSet == true { throw cancelled(sql) }
        try sendPendingBegin(control)
        let inFlight = InFlight(sql: sql, mayHaveCommitted: mayCommit([sql]))
        defer { endOperation() }
        guard PQsendQuery(connection, sql) == 1 else { throw lost(inFlight) }
        try flush(control, inFlight)
        guard let start = try nextResult(control, inFlight) else { throw lost(inFlight) }
        let status = PQresultStatus(start)
        guard status == PGRES_COPY_IN else {
            defer { PQclear(start) }
            guard status == PGRES_FATAL_ERROR else {
                throw lost(inFlight, PostgresError(code: .misuse, message: "this is not a COPY … FROM STDIN", statement: sql))
            }
            let error = failure.error(of: start, sql: sql, index: nil)
            _ = try readCommand(control, inFlight)
            throw error
        }
        PQclear(start)
        var isComplete = true
        for chunk in chunks where !chunk.isEmpty {
            // A server that waits for our next chunk does not look at cancel requests: the COPY is ended from here.
            if control.cancel?.isSet == true {
                isComplete = false
                break
            }
            guard put(chunk, connection) else { break }
            try flush(control, inFlight)
        }
        _ = PQputCopyEnd(connection, isComplete ? nil : "the client was cancelled")
        try flush(control, inFlight)
        do {
            return try readCommand(control, inFlight)
        } catch {
            throw isComplete ? error : cancelled(sql)
        }
    }

    private func put(_ chunk: [UInt8], _ connection: OpaquePointer) -> Bool {
        chunk.withUnsafeBytes { bytes in
            PQputCopyData(connection, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(bytes.count)) == 1
        }
    }

    /// Takes in what the socket holds, without waiting. False where the connection is gone.
    func takeInput() -> Bool {
        guard let connection else { return false }
        // Twice: behind a server's last words the first call does not see the end yet.
        guard PQconsumeInput(connection) == 1, PQconsumeInput(connection) == 1, PQstatus(connection) == CONNECTION_OK else {
            close(because: failure.error(of: connection, code: .connectionFailure))
            return false
        }
        drainNotifications()
        return true
    }

    func drainNotifications() {
        guard let connection else { return }
        while let notification = PQnotifies(connection) {
            mailbox.receive(
                PostgresNotification(
                    channel: String(cString: notification.pointee.relname), payload: String(cString: notification.pointee.extra),
                    backendID: notification.pointee.be_pid))
            PQfreemem(notification)
        }
    }

    /// `LISTEN` for a channel of any name.
    func listenStatement(_ channel: String) throws(PostgresError) -> String {
        let connection = try opened()
        guard let quoted = PQescapeIdentifier(connection, channel, channel.utf8.count) else {
            throw PostgresError(code: .misuse, message: "\"\(channel)\" cannot be the name of a channel")
        }
        defer { PQfreemem(quoted) }
        return "LISTEN " + String(cString: quoted)
    }
}
