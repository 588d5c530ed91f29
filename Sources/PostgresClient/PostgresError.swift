/// A failure of Postgres or of the way to it.
///
/// Never holds the password. `detail` may hold values of rows, as the server wrote it.
public struct PostgresError: Error, Hashable, Sendable, CustomStringConvertible {
    public var code: PostgresErrorCode
    /// The server's or this client's sentence.
    public var message: String
    /// The server's DETAIL, empty where there is none.
    public var detail: String
    /// The constraint or table that the server names, empty where it names none.
    public var entity: String
    /// The statement that failed, its white space folded, at most 160 characters; empty where none was sent.
    public var statement: String
    /// The place of the statement in a pipeline, from 0; nil outside of pipelines.
    public var statementIndex: Int?
    /// True where the connection was lost with a statement in flight that may have been committed all the same.
    ///
    /// The caller must find out (by a fencing token, a dedup key or the stored position) before it repeats.
    public var mayHaveCommitted: Bool

    public init(
        code: PostgresErrorCode, message: String, detail: String = "", entity: String = "", statement: String = "", statementIndex: Int? = nil,
        mayHaveCommitted: Bool = false
    ) {
        self.code = code
        self.message = message
        self.detail = detail
        self.entity = entity
        self.statement = Self.folded(statement)
        self.statementIndex = statementIndex
        self.mayHaveCommitted = mayHaveCommitted
    }

    /// Whether the same work may succeed when it is repeated from the start of its transaction, without a change by a person.
    public var isRetryable: Bool {
        switch code {
        case .serializationFailure, .deadlockDetected, .lockNotAvailable, .queryCancelled, .idleInTransactionTimeout, .adminShutdown, .crashShutdown,
            .cannotConnectNow, .tooManyConnections, .connectionFailure, .timeout, .poolExhausted, .diskFull, .outOfMemory, .stalePlan,
            .readOnlyTransaction:
            true
        default:
            false
        }
    }

    public var description: String {
        var text = "postgres: \(code): \(message)"
        if !detail.isEmpty { text += " (\(detail))" }
        if !entity.isEmpty { text += " [\(entity)]" }
        if let statementIndex { text += " in statement \(statementIndex)" }
        if !statement.isEmpty { text += " at \"\(statement)\"" }
        if mayHaveCommitted { text += "; it may have been committed" }
        return text
    }

    static let statementCharactersMax = 160

    private static func folded(_ sql: String) -> String {
        let words = sql.prefix(4 * statementCharactersMax).split(whereSeparator: \.isWhitespace)
        return String(words.joined(separator: " ").prefix(statementCharactersMax))
    }
}
