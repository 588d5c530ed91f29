/// Which of a host's lists is read.
enum RepositoryList: Hashable, Sendable {
    /// `com.atproto.sync.listRepos`.
    case all
    /// `com.atproto.sync.listReposByCollection`: DIDs only.
    case holding(collection: String)

    /// As the ledger keeps it: a cursor belongs to one list.
    var method: String {
        switch self {
        case .all: "listRepos"
        case .holding(let collection): "listReposByCollection \(collection)"
        }
    }
}

/// A page of a host's list.
struct RepositoryListPage: Hashable, Sendable {
    struct Entry: Hashable, Sendable {
        var did: String
        /// Empty where the list does not say.
        var rev = ""
        var isActive = true
        /// Why it is not active, in the host's words.
        var status: String?
    }

    var entries: [Entry]
    /// Of the next page, the host's own; nil at the end.
    var cursor: String?
    /// Entries that were no repositories.
    var dropped = 0
}

/// Why a page was not had.
enum ListingFailure: Error, Hashable, Sendable {
    /// The host refuses the request that goes on from a cursor.
    case refusedCursor(String)
    /// The host does not know the method.
    case unsupported(String)
    /// Anything that may be otherwise later.
    case failed(String, retryAfter: Duration?)

    /// For metrics.
    var word: String {
        switch self {
        case .refusedCursor: "refused_cursor"
        case .unsupported: "unsupported"
        case .failed(_, let retryAfter): retryAfter == nil ? "failed" : "rate_limited"
        }
    }

    var message: String {
        switch self {
        case .refusedCursor(let message), .unsupported(let message), .failed(let message, _): message
        }
    }
}

/// Asks one host for pages of its list.
protocol RepositoryLister: Sendable {
    func page(_ list: RepositoryList, cursor: String?, limit: Int) async throws(ListingFailure) -> RepositoryListPage
}
