import Events

@testable import Ledger
@testable import Serve

/// Which repositories are wanted, in memory.
actor MemoryRepositories: RepositoryStore {
    private(set) var wanted: [String: Bool] = [:]
    private var isDown = false
    /// Calls that have come, also those that wait.
    private(set) var calls = 0
    private var isHeld = false
    private var waiting: [CheckedContinuation<Void, Never>] = []
    private var watchers: [(calls: Int, CheckedContinuation<Void, Never>)] = []

    func setDown(_ down: Bool) { isDown = down }

    /// Calls wait until they are let go.
    func hold() { isHeld = true }

    func letGo() {
        isHeld = false
        for continuation in waiting { continuation.resume() }
        waiting = []
    }

    func waitForCalls(_ count: Int) async {
        if calls >= count { return }
        await withCheckedContinuation { watchers.append((count, $0)) }
    }

    private func call() async throws(LedgerError) {
        calls += 1
        for watcher in watchers where watcher.calls <= calls { watcher.1.resume() }
        watchers.removeAll { $0.calls <= calls }
        if isHeld { await withCheckedContinuation { waiting.append($0) } }
        if isDown { throw LedgerError(code: .unavailable, message: "down", place: "test") }
    }

    func addRepositories(_ dids: [String], shards: ShardMap, reason: String) async throws(LedgerError) -> [String: ScopeOutcome] {
        try await call()
        return change(dids, to: true) { $0 == true ? .alreadyWanted : .added }
    }

    func removeRepositories(_ dids: [String], shards: ShardMap) async throws(LedgerError) -> [String: ScopeOutcome] {
        try await call()
        return change(dids, to: false) { $0 == nil ? .notTracked : $0 == true ? .removed : .alreadyRemoved }
    }

    func resyncRepositories(_ dids: [String]) async throws(LedgerError) -> [String: ScopeOutcome] {
        try await call()
        return Dictionary(uniqueKeysWithValues: dids.map { ($0, wanted[$0] == true ? .requested : .notTracked) })
    }

    private func change(_ dids: [String], to isWanted: Bool, _ outcome: (Bool?) -> ScopeOutcome) -> [String: ScopeOutcome] {
        var outcomes: [String: ScopeOutcome] = [:]
        for did in dids {
            outcomes[did] = outcome(wanted[did])
            wanted[did] = isWanted
        }
        return outcomes
    }

    func repositoryView(_ did: String, shard: Shard) async throws(LedgerError) -> RepositoryView {
        try await call()
        return RepositoryView(
            did: did, shard: shard, phase: RepositoryPhase(status: nil, rev: "", isWanted: wanted[did], job: .none), isWanted: wanted[did], held: 0,
            records: 0
        )
    }

    func trackedRepositories(phase: RepositoryPhase?, after: String?, limit: Int) async throws(LedgerError) -> RepositoryPage {
        try await call()
        let dids = wanted.keys.sorted().filter { $0 > after ?? "" }.prefix(limit)
        return RepositoryPage(
            repositories: dids.map { RepositorySummary(did: $0, phase: .pending, reason: "", rev: "", error: "") },
            next: dids.count == limit ? dids.last : nil)
    }
}
