import Events
import Ledger
import Logging

/// Answers about repositories, and changes of which are wanted.
struct ScopeQueries: Sendable {
    let store: any RepositoryStore
    let shards: ShardMap
    let writes: WriteGuard
    let logger: Logger

    /// Who may not is told so before the body is read.
    func decide(_ change: Route.ScopeChange, _ request: Request, by requester: Requester) -> Decision {
        if let problem = writes.problem(request, by: requester) { return .reply(problem.reply) }
        return .receive(changing: nil) { body in await self.change(change, body) }
    }

    private func change(_ change: Route.ScopeChange, _ bytes: [UInt8]) async -> HTTPReply {
        await answer {
            let dids = try ScopeBody(bytes).dids
            let outcomes =
                switch change {
                case .add: try await store.addRepositories(dids, shards: shards, reason: "requested")
                case .remove: try await store.removeRepositories(dids, shards: shards)
                case .resync: try await store.resyncRepositories(dids)
                }
            return HTTPReply.json { $0.value(dids, outcomes) }
        }
    }

    func repository(_ did: String) async -> HTTPReply {
        await answer {
            let view = try await store.repositoryView(did, shard: shards.shard(of: did))
            return HTTPReply.json { $0.value(view) }
        }
    }

    func repositories(phase: RepositoryPhase?, after: String?, limit: Int) async -> HTTPReply {
        await answer {
            let page = try await store.trackedRepositories(phase: phase, after: after, limit: limit)
            return HTTPReply.json { $0.value(page) }
        }
    }

    private func answer(_ body: () async throws -> HTTPReply) async -> HTTPReply {
        do {
            return try await body()
        } catch {
            return Problem(answering: error, logger).reply
        }
    }
}
