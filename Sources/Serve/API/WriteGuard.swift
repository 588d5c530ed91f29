/// Who may change something through the API, as long as it has no authentication. Without I/O.
///
/// Whoever reaches a loopback address is on this machine; but a page in a browser there is too. A browser names the page's origin with each POST, and
/// sends `application/json` to another origin only after it was allowed to, which nobody is here. A `Host` proves nothing: names can be made to point here.
struct WriteGuard: Sendable {
    let bind: BindAddress?
    let scope: APIScope

    /// Nil where the request may change something.
    /// - Parameter needsTracking: whether it is about which repositories are wanted.
    func problem(_ request: Request, needsTracking: Bool = true) -> Problem? {
        if let problem = refusal(request) { return problem }
        guard !request.body.isThere || request.body.mediaType == "application/json" else {
            return Problem(
                .unsupportedMediaType, "the body is not JSON", parameter: "Content-Type", given: request.body.mediaType ?? "",
                allowed: "application/json")
        }
        if let encoding = request.body.encoding {
            return Problem(
                .unsupportedMediaType, "the body is encoded", parameter: "Content-Encoding", given: encoding, allowed: "identity, or no such field")
        }
        guard scope.isTracking || !needsTracking else {
            return Problem(
                .nothingTracked, "nothing is tracked: repos.scope is live", given: "repos.scope = live",
                allowed: "repos.scope = chosen, collection or full")
        }
        return nil
    }

    /// Nil where the request may change something.
    func refusal(_ request: Request) -> Problem? {
        guard scope.allowsWrites || bind?.isLoopback == true else {
            return Problem(
                .writesNotAllowed, "there is no authentication, and this API is bound to an address that others can reach",
                given: bind?.description, allowed: "api.bind on loopback, or api.allow_writes = true")
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
