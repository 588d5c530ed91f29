/// A caller that waits for a place of a pool; nil tells it that it gave up.
struct PoolWaiter: Sendable {
    let continuation: CheckedContinuation<PoolGrant<PostgresConnection>?, Never>
}
