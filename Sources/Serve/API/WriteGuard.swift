/// Who may change something through the API. Without I/O.
///
/// Whoever shows a token with the scope is let in: no page of another origin can have a browser send one. Without tokens:
///
/// Whoever reaches a loopback address is on this machine; but a page in a browser there is too. A browser names the page's origin with each POST, and
/// sends `application/json` to another origin only after it was allowed to, which nobody is here. A `Host` proves nothing: names can be made to point here.
struct WriteGuard: Sendable {
    let bind: BindAddress?
    let scope: APIScope

    /// Nil where the request may change which repositories are wanted.
    func problem(_ request: Request, by requester: Requester = .anybody) -> Problem? {
        if let problem = problem(request, by: requester, mediaTypes: ["application/json"]) { return problem }
        guard scope.isTracking else {
            return Problem(
                .nothingTracked, "nothing is tracked: repos.scope is live", given: "repos.scope = live",
                allowed: "repos.scope = chosen, collection or full")
        }
        return nil
    }

    /// Nil where the request may change something, with a body of one of these types.
    func problem(_ request: Request, by requester: Requester, mediaTypes: [String]) -> Problem? {
        if !requester.isAuthenticated, let problem = problemWithoutToken(request) { return problem }
        guard !request.body.isThere || request.body.mediaType.map(mediaTypes.contains) == true else {
            return Problem(
                .unsupportedMediaType, "the body is not JSON", parameter: "Content-Type", given: request.body.mediaType ?? "",
                allowed: mediaTypes.joined(separator: ", "))
        }
        if let encoding = request.body.encoding {
            return Problem(
                .unsupportedMediaType, "the body is encoded", parameter: "Content-Encoding", given: encoding, allowed: "identity, or no such field")
        }
        return nil
    }

    private func problemWithoutToken(_ request: Request) -> Problem? {
        guard scope.allowsWrites || bind?.isLoopback == true else {
            return Problem(
                .writesNotAllowed, "there is no authentication, and this API is bound to an address that others can reach",
                given: bind?.description, allowed: "api.tokens, api.bind on loopback, or api.allow_writes = true")
        }
        return foreignOrigin(request)
    }

    /// Nil where no page of another origin asks.
    func foreignOrigin(_ request: Request) -> Problem? {
        guard let origin = request.origin, !origins(request).contains(origin.lowercased()) else { return nil }
        return Problem(
            .foreignOrigin, "a page of another origin asks", parameter: "Origin", given: origin, allowed: "none, or this API's own")
    }

    /// The API's own: by the names of loopback, and by the address that it is bound to.
    private func origins(_ request: Request) -> Set<String> {
        guard let bind else { return [] }
        let port = request.localPort ?? bind.port
        var origins: Set<String> = []
        for host in ["localhost", "127.0.0.1", "::1", bind.host.lowercased()] {
            let address = BindAddress(host: host, port: port)
            origins.insert("http://\(address)")
            if port == 80 { origins.insert("http://\(address.hostText)") }
        }
        return origins
    }
}
