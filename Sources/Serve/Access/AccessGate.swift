import Events
import NIOHTTP1
import Synchronization

/// Decides who a request is of, and whether it may have what it asks for.
final class AccessGate: Sendable {
    private struct State {
        /// By the digest of the secret, which takes as long for a wrong one as for a right one. Empty: there is no authentication.
        var accounts: [[UInt8]: TokenAccount] = [:]
        var access: APIAccess

        init(_ access: APIAccess, keeping old: [[UInt8]: TokenAccount] = [:]) {
            self.access = access
            for token in access.tokens where accounts[token.digest] == nil {
                let known = old[token.digest].flatMap { $0.token == token ? $0 : nil }
                accounts[token.digest] = known ?? TokenAccount(token, rate: access.rate, connectionsMax: access.connectionsMax)
            }
        }
    }

    private let state: Mutex<State>

    init(_ access: APIAccess) { state = Mutex(State(access)) }

    /// From here on these are the tokens. One that stays as it was keeps what it has used of its limits; the streams of one that does not are to end.
    func replace(_ access: APIAccess) {
        let gone: [TokenAccount] = state.withLock { state in
            let old = state.accounts
            // Other limits are those of other accounts.
            let limits = state.access.rate == access.rate && state.access.connectionsMax == access.connectionsMax
            state = State(access, keeping: limits ? old : [:])
            return old.values.filter { account in state.accounts[account.token.digest] !== account }
        }
        for account in gone { account.revoke() }
    }

    func admit(_ request: Request, to route: Route, now: MonotonicTime) throws(Problem) -> Requester {
        let (accounts, allowsAnonymousReads) = state.withLock { ($0.accounts, $0.access.allowsAnonymousReads) }
        guard !accounts.isEmpty, let declared = route.scope else { return .anybody }
        // A route that forgot to say what its changes need is for who may change anything.
        let isRead = request.method == .GET || request.method == .HEAD
        let scope = declared == .read && !isRead ? .admin : declared
        guard let secret = try request.secret() else {
            if allowsAnonymousReads, scope == .read { return .anybody }
            throw Problem(
                .unauthorized, "a token is needed", allowed: "Authorization: Bearer …, or for event streams of browsers the parameter access_token")
        }
        guard let account = accounts[APIToken.digest(of: secret.utf8)] else { throw Problem(.unauthorized, "there is no such token") }
        let token = account.token
        // Counted first: also what is refused for another reason costs something.
        if let wait = account.take(now: now) {
            throw Problem(
                .rateLimited, "this token asks too often", allowed: "api.token_rate", retryAfterSeconds: Int(wait.milliseconds / 1000) + 1)
        }
        guard token.scopes.contains(scope) else {
            throw Problem(
                .forbidden, "this token may not do that", given: token.scopes.map(\.rawValue).sorted().joined(separator: ", "),
                allowed: "the scope \(scope.rawValue)")
        }
        let requester = Requester(name: token.name, prefixes: token.prefixes, isAuthenticated: true)
        try check(requester, reaches: route.reach)
        guard request.connection?.use(account) ?? true else {
            throw Problem(
                .tooManyTokenConnections, "this token has all the connections it may have", allowed: "\(account.connectionsMax)", retryAfterSeconds: 1
            )
        }
        return requester
    }

    private func check(_ requester: Requester, reaches reach: Route.Reach) throws(Problem) {
        guard let prefixes = requester.prefixes else { return }
        let isReached =
            switch reach {
            case .nothing, .runs: true
            case .run(let id): requester.reaches(id)
            // Of every shard: so the prefix is the log's name, or the beginning of it.
            case .log(let log): prefixes.contains { "\(log.rawValue)/".hasPrefix($0) }
            case .fleet: false
            }
        guard isReached else {
            throw Problem(
                .forbidden, "this token may not reach that", allowed: "runs that begin with \(prefixes.joined(separator: ", "))")
        }
    }
}
