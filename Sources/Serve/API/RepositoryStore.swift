public import Events
public import Ledger

/// What serving needs of the ledger about repositories; a seam for tests.
public protocol RepositoryStore: Sendable {
    func addRepositories(_ dids: [String], shards: ShardMap, reason: String) async throws(LedgerError) -> [String: ScopeOutcome]
    func removeRepositories(_ dids: [String], shards: ShardMap) async throws(LedgerError) -> [String: ScopeOutcome]
    func resyncRepositories(_ dids: [String]) async throws(LedgerError) -> [String: ScopeOutcome]
    func repositoryView(_ did: String, shard: Shard) async throws(LedgerError) -> RepositoryView
    func trackedRepositories(phase: RepositoryPhase?, after: String?, limit: Int) async throws(LedgerError) -> RepositoryPage
}

extension Ledger: RepositoryStore {}
