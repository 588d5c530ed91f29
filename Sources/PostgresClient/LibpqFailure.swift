internal import CLibpq

/// Reads what libpq says of a failure into a ``PostgresError``.
struct LibpqFailure {
    /// Of the configuration; replaced by stars wherever libpq or the server should repeat it.
    let password: String?

    func error(of result: OpaquePointer, sql: String, index: Int?) -> PostgresError {
        // Codes of PQresultErrorField, `postgres_ext.h`: they are characters.
        func field(_ code: Unicode.Scalar) -> String {
            PQresultErrorField(result, Int32(code.value)).map { String(cString: $0) } ?? ""
        }
        let sqlState = field("C")
        let message = field("M")
        var code = sqlState.isEmpty ? PostgresErrorCode.connectionFailure : PostgresErrorCode(sqlState: sqlState)
        // 26000: the statement is not known any more; 0A000 with this text: its plan returns other columns than before.
        if sqlState == "26000" || (sqlState == "0A000" && field("R") == "RevalidateCachedQuery") { code = .stalePlan }
        return PostgresError(
            code: code, message: clean(message.isEmpty ? String(cString: PQresultErrorMessage(result)) : message), detail: clean(field("D")),
            entity: field("n").isEmpty ? field("t") : field("n"), statement: sql, statementIndex: index)
    }

    /// The connection's own last message.
    func error(of connection: OpaquePointer?, code: PostgresErrorCode, sql: String = "") -> PostgresError {
        let message = connection.flatMap(PQerrorMessage).map { String(cString: $0) } ?? ""
        return PostgresError(code: code, message: message.isEmpty ? "the connection failed" : clean(message), statement: sql)
    }

    private func clean(_ message: String) -> String {
        let lines = message.split(whereSeparator: \.isNewline).map { $0.drop(while: \.isWhitespace) }.joined(separator: "; ")
        guard let password, !password.isEmpty else { return lines }
        return lines.split(separator: password, omittingEmptySubsequences: false).joined(separator: "***")
    }
}
