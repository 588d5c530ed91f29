import Events
import NIOHTTP1

/// What a route needs of whoever asks for it.
extension Route {
    /// Nil: it is open to everybody, so that probes and readers of the description need no token.
    var scope: TokenScope? {
        switch self {
        case .health, .ready, .index, .openAPI: nil
        case .createRun, .append, .finish, .cancel: .append
        case .changeScope: .admin
        case .sinks(let route): route.isOrder ? .admin : .read
        default: methods.contains(.GET) ? .read : .admin
        }
    }

    /// What a route is about, for tokens that see some runs only.
    enum Reach: Hashable, Sendable {
        case nothing
        case run(RunID)
        /// All shards of a log.
        case log(LiveLog)
        /// Runs that the answer itself chooses by prefix.
        case runs
        /// The fleet as a whole, or what is of no run.
        case fleet
    }

    var reach: Reach {
        switch self {
        case .health, .ready, .index, .openAPI: .nothing
        case .run(let id), .events(let id, _, _, _), .stream(let id, _, _), .snapshot(let id, _, _), .append(let id, _, _), .finish(let id, _),
            .cancel(let id, _):
            .run(id)
        case .merged(let log, _, _): .log(log)
        case .runs, .createRun: .runs
        default: .fleet
        }
    }
}
