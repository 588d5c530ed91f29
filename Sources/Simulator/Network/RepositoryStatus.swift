/// The answer of `getRepoStatus`.
struct RepositoryStatus: Hashable, Sendable, Encodable {
    var did: String
    var active: Bool
    var status: String?
    /// Only of an active account.
    var rev: String?
}
