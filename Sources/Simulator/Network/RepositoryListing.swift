/// A page of `listRepos`.
struct RepositoryListing: Hashable, Sendable {
    struct Entry: Hashable, Sendable {
        var did: String
        var head: String
        var rev: String
        var active: Bool
        var status: String?
    }

    var cursor: String?
    var repos: [Entry]

    /// As the host answers. No value of it needs escaping.
    var json: String {
        var text = cursor.map { "{\"cursor\":\"\($0)\",\"repos\":[" } ?? "{\"repos\":["
        text.reserveCapacity(text.utf8.count + repos.count * 200)
        for (place, entry) in repos.enumerated() {
            text += place == 0 ? "{\"active\":" : ",{\"active\":"
            text += entry.active ? "true" : "false"
            text += ",\"did\":\"\(entry.did)\",\"head\":\"\(entry.head)\",\"rev\":\"\(entry.rev)\""
            if let status = entry.status { text += ",\"status\":\"\(status)\"" }
            text += "}"
        }
        return text + "]}"
    }
}
