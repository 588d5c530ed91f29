/// What went wrong, as callers decide by it: a SQLSTATE that the server gave, or a failure of the connection or of this client.
///
/// Source: PostgreSQL 15 documentation, appendix A.
public enum PostgresErrorCode: Hashable, Sendable {
    case uniqueViolation, foreignKeyViolation, checkViolation, notNullViolation, exclusionViolation
    case serializationFailure, deadlockDetected
    /// `lock_timeout` passed, or NOWAIT met a lock.
    case lockNotAvailable
    /// The server cancelled the statement: `statement_timeout`, or another session's pg_cancel_backend.
    case queryCancelled
    case idleInTransactionTimeout
    /// The server is stopping, or somebody ended this session with pg_terminate_backend.
    case adminShutdown
    case crashShutdown
    /// The server is starting, stopping or recovering and takes no connections yet.
    case cannotConnectNow
    case tooManyConnections
    case authenticationFailed
    case insufficientPrivilege
    case readOnlyTransaction
    case diskFull, outOfMemory
    case undefinedTable, undefinedColumn, undefinedFunction, undefinedObject, undefinedSchema, undefinedDatabase
    case duplicateTable, duplicateObject, duplicateSchema
    case syntaxError
    case inFailedTransaction
    /// A text with U+0000 or bytes that are not UTF-8.
    case characterNotInRepertoire
    case invalidTextRepresentation, numericValueOutOfRange
    /// The plan of a cached statement no longer fits the table. The statement leaves the cache: a repeat succeeds.
    case stalePlan
    /// Any other SQLSTATE, five characters.
    case other(String)

    /// The connection could not be made, broke, or spoke something that is not the protocol.
    case connectionFailure
    /// The server said nothing for the configured time.
    case timeout
    /// The task was cancelled while it waited.
    case cancelled
    /// No connection of the pool became free in time.
    case poolExhausted
    /// The pool or connection is closed, or an earlier failure left it unusable.
    case closed
    /// The connection URL or an option is not valid.
    case invalidConfiguration
    /// A value in a row is not of the type that was asked for.
    case decoding
    /// The caller used the client in a way that the protocol does not allow.
    case misuse

    init(sqlState: String) {
        self = Self.known[sqlState] ?? (sqlState.hasPrefix("08") ? .connectionFailure : .other(sqlState))
    }

    private static let known: [String: PostgresErrorCode] = [
        "23505": .uniqueViolation, "23503": .foreignKeyViolation, "23514": .checkViolation, "23502": .notNullViolation,
        "23P01": .exclusionViolation, "40001": .serializationFailure, "40P01": .deadlockDetected, "55P03": .lockNotAvailable,
        "57014": .queryCancelled, "25P03": .idleInTransactionTimeout, "57P01": .adminShutdown, "57P02": .crashShutdown,
        "57P03": .cannotConnectNow, "53300": .tooManyConnections, "28P01": .authenticationFailed, "28000": .authenticationFailed,
        "42501": .insufficientPrivilege, "25006": .readOnlyTransaction, "53100": .diskFull, "53200": .outOfMemory,
        "42P01": .undefinedTable, "42703": .undefinedColumn, "42883": .undefinedFunction, "42704": .undefinedObject,
        "3F000": .undefinedSchema, "3D000": .undefinedDatabase, "42P07": .duplicateTable, "42710": .duplicateObject,
        "42P06": .duplicateSchema, "42601": .syntaxError, "25P02": .inFailedTransaction, "22021": .characterNotInRepertoire,
        "22P05": .characterNotInRepertoire, "22P02": .invalidTextRepresentation, "22003": .numericValueOutOfRange,
    ]
}
