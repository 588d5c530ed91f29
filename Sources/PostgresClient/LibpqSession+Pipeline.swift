internal import CLibpq

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

extension LibpqSession {
    /// What was sent and is not answered yet, in order.
    private enum Step {
        case deallocate(String)
        case prepare(StatementCache.Key, name: String, index: Int)
        case execute(StatementCache.Key, index: Int)
    }

    /// Sends all statements and one sync, then reads the answers: one round trip. Outside of a transaction they are one transaction of their own.
    ///
    /// The first statement that fails is thrown with its index; those behind it did not run.
    func pipeline(_ statements: [PostgresStatement], _ control: OperationControl) throws(PostgresError) -> [PostgresRows] {
        let connection = try opened()
        guard let first = statements.first else { return [] }
        try checkBounds(statements)
        if control.cancel?.isSet == true { throw cancelled(first.sql) }
        if let begin = pendingBegin {
            pendingBegin = nil
            return try pipelineAfterBegin(begin, statements, control)
        }
        let inFlight = InFlight(sql: first.sql, mayHaveCommitted: mayCommit(statements.map(\.sql)))
        defer { endOperation() }
        guard PQenterPipelineMode(connection) == 1 else { throw lost(inFlight) }
        let steps = try send(statements, on: connection, inFlight)
        try flush(control, inFlight)
        var reader = PipelineReader(single: statements.count == 1)
        for step in steps { try read(step, of: statements, into: &reader, control, inFlight) }
        try readSync(control, inFlight, &reader)
        guard PQexitPipelineMode(connection) == 1 else { throw lost(inFlight) }
        drainNotifications()
        if let error = reader.error { throw error.code == .queryCancelled && control.cancel?.isSet == true ? cancelled(error.statement) : error }
        return reader.rows
    }

    /// The caller's statements behind a BEGIN, of which the caller sees nothing.
    private func pipelineAfterBegin(
        _ begin: String, _ statements: [PostgresStatement], _ control: OperationControl
    ) throws(PostgresError) -> [PostgresRows] {
        do {
            return Array(try pipeline([PostgresStatement(begin)] + statements, control).dropFirst())
        } catch {
            var error = error
            error.statementIndex = statements.count == 1 ? nil : error.statementIndex.map { max(0, $0 - 1) }
            throw error
        }
    }

    private struct PipelineReader {
        var single: Bool
        var rows: [PostgresRows] = []
        var error: PostgresError?
    }

    private func checkBounds(_ statements: [PostgresStatement]) throws(PostgresError) {
        guard statements.count <= PostgresConnection.pipelineStatementsMax + 1 else {
            throw PostgresError(
                code: .misuse, message: "a pipeline of \(statements.count) statements: \(PostgresConnection.pipelineStatementsMax) at most")
        }
        for (index, statement) in statements.enumerated() where statement.parameters.count > Int(PQ_QUERY_PARAM_MAX_LIMIT) {
            throw PostgresError(code: .misuse, message: "too many parameters: use arrays and unnest", statement: statement.sql, statementIndex: index)
        }
    }

    private func send(_ statements: [PostgresStatement], on connection: OpaquePointer, _ inFlight: InFlight) throws(PostgresError) -> [Step] {
        var steps: [Step] = []
        if PQtransactionStatus(connection) != PQTRANS_INERROR {
            for name in cache.evicted {
                guard PQsendQueryParams(connection, "DEALLOCATE \(name)", 0, nil, nil, nil, nil, 1) == 1 else { throw lost(inFlight) }
                steps.append(.deallocate(name))
            }
        }
        // A statement that stands twice in the pipeline is prepared once.
        var prepared: [StatementCache.Key: String] = [:]
        for (index, statement) in statements.enumerated() {
            let key = StatementCache.Key(sql: statement.sql, typeIDs: statement.parameters.map(\.typeID))
            var name = prepared[key] ?? cache.name(of: key)
            if name == nil {
                let fresh = cache.freshName()
                guard LibpqParameters.sendPrepare(connection, name: fresh, sql: statement.sql, statement.parameters) else { throw lost(inFlight) }
                steps.append(.prepare(key, name: fresh, index: index))
                name = fresh
            }
            guard let name, LibpqParameters.sendPrepared(connection, name: name, statement.parameters) else { throw lost(inFlight) }
            prepared[key] = name
            steps.append(.execute(key, index: index))
        }
        guard PQpipelineSync(connection) == 1 else { throw lost(inFlight) }
        return steps
    }

    private func read(
        _ step: Step, of statements: [PostgresStatement], into reader: inout PipelineReader, _ control: OperationControl, _ inFlight: InFlight
    ) throws(PostgresError) {
        while let result = try nextResult(control, inFlight) {
            defer { PQclear(result) }
            switch (PQresultStatus(result), step) {
            case (PGRES_COMMAND_OK, .deallocate(let name)):
                cache.deallocated(name)
            case (PGRES_COMMAND_OK, .prepare(let key, let name, _)):
                cache.prepared(key, as: name)
            case (PGRES_COMMAND_OK, .execute), (PGRES_TUPLES_OK, .execute), (PGRES_EMPTY_QUERY, .execute):
                reader.rows.append(LibpqResult.rows(of: result))
            case (PGRES_PIPELINE_ABORTED, _):
                break
            case (PGRES_FATAL_ERROR, .deallocate(let name)):
                cache.deallocated(name)
                if reader.error == nil { reader.error = failure.error(of: result, sql: "DEALLOCATE", index: nil) }
            case (PGRES_FATAL_ERROR, .prepare(let key, _, let index)), (PGRES_FATAL_ERROR, .execute(let key, let index)):
                guard reader.error == nil else { break }
                let error = failure.error(of: result, sql: statements[index].sql, index: reader.single ? nil : index)
                if error.code == .stalePlan { cache.forget(key) }
                reader.error = error
            default:
                throw lost(inFlight, result)
            }
            if PQstatus(connection) == CONNECTION_BAD { throw lost(inFlight, reader.error) }
        }
    }

    private func readSync(_ control: OperationControl, _ inFlight: InFlight, _ reader: inout PipelineReader) throws(PostgresError) {
        // libpq gives a null behind each answer, and may give one more in front of the sync.
        for _ in 0..<2 {
            guard let result = try nextResult(control, inFlight) else { continue }
            defer { PQclear(result) }
            guard PQresultStatus(result) == PGRES_PIPELINE_SYNC else {
                throw lost(inFlight, reader.error ?? failure.error(of: result, sql: inFlight.sql, index: nil))
            }
            return
        }
        throw lost(inFlight, reader.error)
    }
}
