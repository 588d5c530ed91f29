/// A page of `listRepos`.
struct RepositoryListing: Hashable, Sendable, Encodable {
    struct Entry: Hashable, Sendable, Encodable {
        var did: String
        var head: String
        var rev: String
        var active: Bool
        var status: String?
    }

    var cursor: String?
    var repos: [Entry]
}
