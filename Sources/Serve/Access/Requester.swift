import Events

/// Who asks, as far as it matters for an answer.
struct Requester: Hashable, Sendable {
    /// Of the token; empty: somebody without one.
    var name = ""
    /// Beginnings of the ids of the runs that may be seen; nil: all.
    var prefixes: [String]?
    /// Whether a token was shown. Without one a change needs what ``WriteGuard`` asks for.
    var isAuthenticated = false

    static let anybody = Requester()

    func reaches(_ run: RunID) -> Bool { prefixes?.contains { run.description.utf8.starts(with: $0.utf8) } ?? true }
}
