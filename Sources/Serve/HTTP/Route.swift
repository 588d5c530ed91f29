import Events
import Ledger
import NIOHTTP1

/// What a request asks for: the decision without the doing.
enum Route: Sendable {
    case health, ready, metrics, status, index
    case runs(state: String?, kind: String?, after: RunID?, limit: Int)
    case run(RunID)
    case events(RunID, after: Int64, limit: Int, EventSelection)
    /// after nil: not said.
    case stream(RunID, after: Int64?, StreamOptions)
    /// A log of all shards, merged.
    case merged(LiveLog, MergedStart?, StreamOptions)
    /// What stands of some subjects; sources empty: of all.
    case labels(uris: [String], sources: [String])
    case repositories(phase: RepositoryPhase?, after: String?, limit: Int)
    case repository(String)
    case changeScope(ScopeChange)
    case openAPI
    case createRun
    /// The latest event of each key of a run, a page of them.
    case snapshot(RunID, after: SnapshotCursor?, limit: Int)
    /// `isLines`: the body is a JSON value a line. `expectedSeq`: what the run's last seq must be.
    case append(RunID, expectedSeq: Int64?, isLines: Bool)
    case finish(RunID, expectedSeq: Int64?)
    case cancel(RunID, expectedSeq: Int64?)
    case subscriptions(name: String?, after: SubscriptionKey?, limit: Int)
    /// Topic nil: all of the name.
    case deleteSubscription(name: String, SubscriptionTopic?)
    case sinks(SinkRoute)

    enum MergedStart: Hashable, Sendable {
        case now, earliest
        case at(MergedCursor)
    }

    /// What is asked of repositories that a body names. The raw values are the paths' last segments.
    enum ScopeChange: String, Hashable, Sendable, CaseIterable { case add, remove, resync }

    /// In the order in which they are told.
    var methods: [HTTPMethod] {
        switch self {
        case .changeScope, .finish, .cancel: [.POST]
        case .deleteSubscription: [.DELETE]
        // Their paths take both; the router has chosen by the method already.
        case .runs, .createRun, .events, .append: [.GET, .HEAD, .POST]
        case .sinks(let route): route.methods
        default: [.GET, .HEAD]
        }
    }

    /// For metrics: one of a few names, never a client's text.
    var name: String {
        switch self {
        case .health: "health"
        case .ready: "ready"
        case .metrics: "metrics"
        case .status: "status"
        case .index: "index"
        case .runs: "runs"
        case .run: "run"
        case .events: "events"
        case .stream: "stream"
        case .merged(.firehose, _, _): "firehose"
        case .merged(.labels, _, _): "labels_stream"
        case .labels: "labels"
        case .repositories: "repositories"
        case .repository: "repository"
        case .changeScope: "change_scope"
        case .openAPI: "openapi"
        case .createRun: "create_run"
        case .snapshot: "snapshot"
        case .append: "append"
        case .finish: "finish"
        case .cancel: "cancel"
        case .subscriptions: "subscriptions"
        case .deleteSubscription: "delete_subscription"
        case .sinks(let route): route.name
        }
    }
}
