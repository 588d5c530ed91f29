import Broker
import Events

/// All of the API: what every role answers, the log, and its streams.
struct APIResponder: Responder {
    let operations: OperationsResponder
    let queries: LogQueries
    let scope: ScopeQueries
    let runs: RunCommands
    let gate: AccessGate
    let sinks: SinkQueries?
    let router = Router(servesLog: true)

    func decide(_ request: Request) -> Decision {
        let route: Route
        let requester: Requester
        do throws(Problem) {
            route = try router.route(request)
            requester = try gate.admit(request, to: route, now: .current)
        } catch {
            return .reply(error.reply)
        }
        let (queries, scope, runs) = (queries, scope, runs)
        switch route {
        case .health, .ready, .metrics: return operations.decide(route) ?? .reply(Problem(.notFound, "nothing is here").reply)
        case .index: return .reply(Self.index)
        case .status: return .compute { await queries.status() }
        case .runs(let state, let kind, let after, let limit):
            return .compute { await queries.runs(state: state, kind: kind, prefixes: requester.prefixes, after: after, limit: limit) }
        case .run(let id): return .compute { await queries.run(id) }
        case .events(let id, let after, let limit, let selection):
            return .compute { await queries.events(id, after: after, limit: limit, selection) }
        case .stream(let id, let after, let options):
            return stream(request, by: requester, options) { await queries.open(id, after: after, options) }
        case .merged(let log, let start, let options):
            return stream(request, by: requester, options) { await queries.openMerged(log, start, options) }
        case .labels(let uris, let sources): return .compute { await queries.labels(on: uris, by: sources) }
        case .repositories(let phase, let after, let limit):
            return .compute { await scope.repositories(phase: phase, after: after, limit: limit) }
        case .repository(let did): return .compute { await scope.repository(did) }
        case .changeScope(let change): return scope.decide(change, request, by: requester)
        case .createRun, .append, .finish, .cancel: return runs.decide(route, request, by: requester)
        case .snapshot(let id, let after, let limit): return .compute { await runs.snapshot(id, after: after, limit: limit) }
        case .openAPI: return .reply(Self.description)
        case .subscriptions(let name, let after, let limit):
            return .compute { await queries.subscriptions(name: name, after: after, limit: limit) }
        case .deleteSubscription(let name, let topic):
            if let problem = scope.writes.problem(request, by: requester, mediaTypes: ["application/json"]) { return .reply(problem.reply) }
            return .compute { await queries.delete(name, topic) }
        case .sinks(let route): return sinks?.decide(route, request, by: requester) ?? .reply(Problem(.notFound, "nothing is here").reply)
        }
    }

    /// The description of all paths (OpenAPI 3.1).
    private static let description = HTTPReply(
        contentType: "application/json", headers: [("Cache-Control", "no-store")], body: PackageResources.openapi_json)

    /// A page of any origin may open a WebSocket to here and read it, which it may not with an event stream: those of others are refused, unless they
    /// show a token, which no page of another origin has.
    private func stream(
        _ request: Request, by requester: Requester, _ options: StreamOptions, _ open: @escaping @Sendable () async -> StreamOpening
    ) -> Decision {
        if options.wire == .webSocket, !requester.isAuthenticated, let problem = scope.writes.foreignOrigin(request) {
            return .reply(problem.reply)
        }
        return .stream(open)
    }

    /// What there is, for a person who asks for the root.
    private static let index = HTTPReply.json { json in
        json.beginObject()
        json.member("name", "weir")
        json.key("paths")
        json.beginArray()
        for path in [
            "/streams/firehose?cursor=", "/streams/labels?cursor=", "/labels?uri=&src=", "/runs?state=&kind=", "/runs/{id}",
            "/runs/{id}/events?fromSeq=&limit=", "/runs/{id}/stream?fromSeq=", "/runs/{id}/snapshot?limit=&cursor=", "/runs/{id}/finish",
            "/runs/{id}/cancel", "/subscriptions?name=&after=&limit=", "/subscriptions/{name}?run=&stream=", "/repos?phase=&after=&limit=",
            "/repos/{did}", "/repos/add", "/repos/remove", "/repos/resync", "/status", "/health", "/ready", "/metrics", "/openapi.json",
            "/sinks", "/sinks/{name}", "/sinks/{name}/pause", "/sinks/{name}/resume", "/sinks/{name}/reset", "/sinks/{name}/rewind",
            "/dlq?sink=&before=&limit=", "/dlq/{letter}", "/dlq/{letter}/requeue", "/dlq/{letter}/skip",
        ] { json.value(path) }
        json.endArray()
        json.endObject()
    }
}
