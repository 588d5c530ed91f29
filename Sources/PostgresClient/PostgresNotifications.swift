/// The notifications that a connection listens for. Ends by throwing when the connection is lost: then LISTEN anew and look at everything.
///
/// Nothing is read from the socket but while somebody waits for the next element or a statement runs, and at most 1,024 different notifications
/// are held; more become one ``Element/overflow(dropped:)``.
public struct PostgresNotifications: AsyncSequence, Sendable {
    public enum Element: Hashable, Sendable {
        case notification(PostgresNotification)
        /// Notifications came faster than they were taken; so many were let go.
        case overflow(dropped: Int)
    }

    public typealias Failure = PostgresError

    let connection: PostgresConnection

    public func makeAsyncIterator() -> Iterator { Iterator(connection: connection) }

    public struct Iterator: AsyncIteratorProtocol {
        let connection: PostgresConnection

        /// Nil when the task is cancelled.
        public mutating func next(isolation actor: isolated (any Actor)?) async throws(PostgresError) -> Element? {
            try await connection.nextNotification()
        }
    }
}
