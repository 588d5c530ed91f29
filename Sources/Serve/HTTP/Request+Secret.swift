import NIOHTTP1

/// The token of a request, taken out of where it may stand.
extension Request {
    /// Where an `EventSource` of a browser, which cannot set headers, puts its token.
    static let secretParameter = "access_token"

    /// Of the header `Authorization: Bearer …`, or at a GET of the parameter `access_token` (RFC 6750 §2). Nil where there is none.
    ///
    /// Throws `bad_request` where both are there, `unauthorized` at another scheme or a text that is no token.
    func secret() throws(Problem) -> String? {
        guard let authorization else { return try secretOfQuery() }
        guard querySecret == nil else {
            throw Problem(.badRequest, "a token stands in the header and in the query", parameter: Self.secretParameter, allowed: "one of them")
        }
        let parts = authorization.split(separator: " ", omittingEmptySubsequences: true)
        guard parts.count == 2, parts[0].lowercased() == "bearer", APIToken.isSecret(String(parts[1])) else {
            throw Problem(.unauthorized, "the header Authorization holds no bearer token", allowed: "Authorization: Bearer …")
        }
        return String(parts[1])
    }

    private func secretOfQuery() throws(Problem) -> String? {
        guard let querySecret else { return nil }
        guard method == .GET || method == .HEAD else {
            throw Problem(.unauthorized, "a token in the query is taken at a GET only", allowed: "Authorization: Bearer …")
        }
        guard APIToken.isSecret(querySecret) else { throw Problem(.unauthorized, "the parameter \(Self.secretParameter) holds no token") }
        return querySecret
    }
}
