internal import DequeModule

/// Who holds and who waits for the connections of a pool: decisions only, generic over what a connection and a waiter are.
///
/// A *place* is the right to hold one connection; there are `size` of them. A place is free, held with an idle connection, held by a caller, or handed
/// to a waiter, who then connects by itself. Waiters are served in the order in which they came.
struct PoolState<Connection: Sendable, Waiter: Sendable> {
    typealias Grant = PoolGrant<Connection>

    private let size: Int
    private var idle: [(Connection, ContinuousClock.Instant)] = []
    private var placesTaken = 0
    private var waiters = Deque<(id: UInt64, waiter: Waiter)>()
    private var nextWaiterID: UInt64 = 0
    private(set) var isClosed = false
    /// Attempts to connect that failed in a row, over all places.
    private(set) var failures = 0

    init(size: Int) { self.size = max(1, size) }

    var waiterCount: Int { waiters.count }
    var busyCount: Int { placesTaken - idle.count }

    /// Nil where the caller has to wait. The connection used last is taken first, so that those too many grow old.
    mutating func acquire() -> Grant? {
        if isClosed { return .closed }
        guard waiters.isEmpty else { return nil }
        if let (connection, since) = idle.popLast() { return .connection(connection, idleSince: since) }
        guard placesTaken < size else { return nil }
        placesTaken += 1
        return .place
    }

    mutating func freshWaiterID() -> UInt64 {
        nextWaiterID += 1
        return nextWaiterID
    }

    /// Enqueues the waiter, unless something became free since ``acquire()``; then the grant is returned and the waiter is not kept.
    mutating func wait(_ id: UInt64, _ waiter: Waiter) -> Grant? {
        if let grant = acquire() { return grant }
        waiters.append((id, waiter))
        return nil
    }

    /// The waiter gave up; nil where it was served in the meantime.
    mutating func abandon(_ id: UInt64) -> Waiter? {
        guard let place = waiters.firstIndex(where: { $0.id == id }) else { return nil }
        return waiters.remove(at: place).waiter
    }

    /// A connection comes back. With a waiter, it is handed on.
    mutating func release(_ connection: Connection, now: ContinuousClock.Instant) -> (waiter: Waiter, grant: Grant)? {
        failures = 0
        if let next = waiters.popFirst() { return (next.waiter, .connection(connection, idleSince: now)) }
        guard !isClosed else {
            placesTaken -= 1
            return nil
        }
        idle.append((connection, now))
        return nil
    }

    /// A place comes back without its connection.
    mutating func releasePlace() -> (waiter: Waiter, grant: Grant)? {
        if let next = waiters.popFirst() { return (next.waiter, .place) }
        placesTaken -= 1
        return nil
    }

    mutating func connectFailed() { failures += 1 }
    mutating func connectSucceeded() { failures = 0 }

    /// Everybody who waits, and every idle connection. Held connections are closed when they come back.
    mutating func close() -> (waiters: [Waiter], connections: [Connection]) {
        isClosed = true
        let waiting = waiters.map(\.waiter)
        let connections = idle.map(\.0)
        placesTaken -= idle.count
        waiters.removeAll()
        idle.removeAll()
        return (waiting, connections)
    }
}
