import Events
import Flow
import Synchronization

/// A token at work: what it has used of its limits. Shared by all event loops.
final class TokenAccount: Sendable {
    let token: APIToken
    private let bucket: Mutex<RateBucket>
    private let connections: ConnectionCount
    private let revoked = Atomic(false)

    init(_ token: APIToken, rate: RateBucket.Limits, connectionsMax: Int) {
        self.token = token
        bucket = Mutex(RateBucket(rate))
        connections = ConnectionCount(limit: connectionsMax)
    }

    /// Takes one request; or says how long to wait for it.
    func take(now: MonotonicTime) -> Duration? { bucket.withLock { $0.take(now: now) } }

    /// It is no token any more, or another one.
    var isRevoked: Bool { revoked.load(ordering: .relaxed) }
    func revoke() { revoked.store(true, ordering: .relaxed) }

    var connectionsMax: Int { connections.limit }
    var connectionsNow: Int { connections.now }

    /// Counts one more connection; false where it is one too many, and is not counted.
    fileprivate func enter() -> Bool {
        if connections.enter() { return true }
        connections.leave()
        return false
    }

    fileprivate func leave() { connections.leave() }
}

/// Which token a connection counts for: that of its last request. Closed with the connection.
final class ConnectionAccount: Sendable {
    private struct State {
        var account: TokenAccount?
        var isClosed = false
    }

    private let state = Mutex(State())

    /// False where the token has as many connections as it may.
    func use(_ account: TokenAccount) -> Bool {
        state.withLock { state in
            if state.isClosed || state.account === account { return true }
            guard account.enter() else { return false }
            state.account?.leave()
            state.account = account
            return true
        }
    }

    /// The token that let this connection in is none any more.
    var isRevoked: Bool { state.withLock { $0.account?.isRevoked ?? false } }

    func close() {
        state.withLock { state in
            state.account?.leave()
            state.account = nil
            state.isClosed = true
        }
    }
}
