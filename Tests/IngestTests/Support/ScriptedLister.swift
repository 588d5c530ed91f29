import Events
import Synchronization

@testable import Ingest

/// A host's list as a test writes it: so many repositories, failures in front of pages, and a door that is shut or open.
final class ScriptedLister: RepositoryLister {
    struct Ask: Hashable, Sendable {
        var cursor: String?
        var at: MonotonicTime
    }

    private struct State {
        var entries: [RepositoryListPage.Entry]
        /// What the next asks are answered instead of a page.
        var failures: [ListingFailure] = []
        /// From a cursor to the one that is given for it instead.
        var detours: [String: String] = [:]
        var asks: [Ask] = []
    }

    private let state: Mutex<State>

    init(_ entries: [RepositoryListPage.Entry]) { state = Mutex(State(entries: entries)) }

    /// Repositories `did:web:0` and on, each with the same rev.
    convenience init(count: Int, rev: String = "3aaaaaaaaaaaa") {
        self.init((0..<count).map { RepositoryListPage.Entry(did: "did:web:\($0)", rev: rev) })
    }

    var asks: [Ask] { state.withLock { $0.asks } }
    var cursors: [String?] { asks.map(\.cursor) }

    func fail(_ failures: ListingFailure...) { state.withLock { $0.failures += failures } }
    func failAlways(_ failure: ListingFailure) { state.withLock { $0.failures = Array(repeating: failure, count: 100_000) } }
    func mend() { state.withLock { state in (state.failures, state.detours) = ([], [:]) } }
    func detour(from cursor: String, to other: String) { state.withLock { $0.detours[cursor] = other } }
    func change(_ body: (inout [RepositoryListPage.Entry]) -> Void) { state.withLock { body(&$0.entries) } }

    func page(_ list: RepositoryList, cursor: String?, limit: Int) async throws(ListingFailure) -> RepositoryListPage {
        let answer = state.withLock { state -> Result<RepositoryListPage, ListingFailure> in
            state.asks.append(Ask(cursor: cursor, at: ProcessClock.now))
            if !state.failures.isEmpty { return .failure(state.failures.removeFirst()) }
            let start = cursor.flatMap { Int($0.dropFirst("at ".count)) } ?? 0
            let end = min(start + limit, state.entries.count)
            let next = end < state.entries.count ? "at \(end)" : nil
            return .success(
                RepositoryListPage(entries: start < end ? Array(state.entries[start..<end]) : [], cursor: next.map { state.detours[$0] ?? $0 }))
        }
        return try answer.get()
    }
}
