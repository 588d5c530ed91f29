/// The isolation of a transaction. The two upper levels can end with ``PostgresErrorCode/serializationFailure``, which is retried from the start.
public enum PostgresIsolation: String, Hashable, Sendable, CaseIterable {
    case readCommitted = "READ COMMITTED"
    case repeatableRead = "REPEATABLE READ"
    case serializable = "SERIALIZABLE"
}
