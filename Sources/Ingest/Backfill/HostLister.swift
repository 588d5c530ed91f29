import ATProto
import Hosts

/// Asks a host over HTTP.
struct HostLister: RepositoryLister {
    let client: HostClient
    let endpoint: HostEndpoint

    func page(_ list: RepositoryList, cursor: String?, limit: Int) async throws(ListingFailure) -> RepositoryListPage {
        do throws(HostError) {
            switch list {
            case .all: return Self.page(try await client.listRepos(at: endpoint, cursor: cursor, limit: limit), sent: cursor)
            case .holding(let collection):
                return Self.page(try await client.listReposByCollection(collection, at: endpoint, cursor: cursor, limit: limit), sent: cursor)
            }
        } catch {
            throw Self.failure(error, sent: cursor)
        }
    }

    private static func page(_ page: RepositoryPage, sent cursor: String?) -> RepositoryListPage {
        let next: String? =
            switch page.next {
            case .end: nil
            case .page(let next), .afterEmptyPage(let next): next
            case .sameCursor: cursor
            }
        let entries = page.entries.map { entry in
            RepositoryListPage.Entry(did: entry.did, rev: entry.rev?.description ?? "", isActive: entry.isActive, status: entry.status)
        }
        return RepositoryListPage(entries: entries, cursor: next, dropped: page.dropped)
    }

    static func failure(_ error: HostError, sent cursor: String?) -> ListingFailure {
        switch error.code {
        case .notSupported: .unsupported(error.message)
        // The one thing in the request that a host may no longer know.
        case .other where error.status == 400 && cursor != nil: .refusedCursor(error.message)
        default: .failed("\(error.message): \(error.advice.text)", retryAfter: error.retryAfter)
        }
    }
}
