/// What a caller of a pool is given.
enum PoolGrant<Connection: Sendable>: Sendable {
    /// A connection that was idle since.
    case connection(Connection, idleSince: ContinuousClock.Instant)
    /// A place without a connection: the holder connects, or gives the place back.
    case place
    case closed
}
