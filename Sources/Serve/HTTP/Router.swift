import ATProto
import Events
import NIOHTTP1

/// From a request to a ``Route``. Without I/O.
///
/// A run's id holds slashes, so the last segment decides: `/runs/firehose/3/stream` is the stream of `firehose/3`. An id that itself ends in
/// such a segment could not be had by these paths; none is given (`RunID.whyNotCreatable`).
struct Router: Sendable {
    /// Paths of the log and its streams; without them only those that every role serves (health, ready, metrics).
    var servesLog: Bool

    static let seqs: ClosedRange<Int64> = 0...(1 << 53)

    func route(_ request: Request) throws(Problem) -> Route {
        let route = try find(request)
        guard route.methods.contains(request.method) else {
            let allowed = route.methods.map(\.rawValue).joined(separator: ", ")
            throw Problem(.methodNotAllowed, "\(request.method.rawValue) is not allowed here", allowed: allowed)
        }
        return route
    }

    private func find(_ request: Request) throws(Problem) -> Route {
        switch request.path {
        case "/health", "/ready", "/metrics":
            _ = try QueryReader(request, allowed: [])
            return request.path == "/health" ? .health : request.path == "/ready" ? .ready : .metrics
        case _ where !servesLog: break
        case "/": return .index
        case "/openapi.json":
            _ = try QueryReader(request, allowed: [])
            return .openAPI
        case "/status":
            _ = try QueryReader(request, allowed: [])
            return .status
        case "/runs", "/runs/": return try runs(request)
        case "/streams/firehose": return try merged(.firehose, request)
        case "/streams/labels": return try merged(.labels, request)
        case "/labels": return try labels(request)
        case _ where request.path == "/subscriptions" || request.path.hasPrefix("/subscriptions/"): return try subscriptions(request)
        case "/repos", "/repos/": return try repositories(request)
        case _ where request.path.hasPrefix("/repos/"): return try repository(request, rest: request.path.dropFirst("/repos/".count))
        default:
            if let route = try sinks(request) { return .sinks(route) }
            for prefix in ["/runs/", "/api/agents/runs/"] where request.path.hasPrefix(prefix) {
                return try run(request, rest: request.path.dropFirst(prefix.count), streamsOnly: prefix != "/runs/")
            }
        }
        throw Problem(.notFound, "nothing is here", given: request.path)
    }

    private func runs(_ request: Request) throws(Problem) -> Route {
        if request.method == .POST {
            _ = try QueryReader(request, allowed: [])
            return .createRun
        }
        let query = try QueryReader(request, allowed: ["state", "kind", "limit", "cursor"])
        var after: RunID?
        if let text = query.text("cursor") {
            guard let id = RunID(text) else { throw Problem.parameter("cursor", given: text, allowed: "the cursor of the page before") }
            after = id
        }
        let state: RunStateName? = try query.choice("state")
        let limit = try query.integer("limit", in: 1...1000) ?? 100
        return .runs(state: state?.rawValue, kind: query.text("kind"), after: after, limit: Int(limit))
    }

    /// As `RunSummary.State`, which the ledger owns.
    enum RunStateName: String, CaseIterable { case started, finished, cancelled, failed }

    private func run(_ request: Request, rest: Substring, streamsOnly: Bool) throws(Problem) -> Route {
        if rest.hasSuffix("/stream") {
            let query = try QueryReader(request, allowed: ["fromSeq", "subscription"] + QueryReader.selectionNames)
            let id = try runID(rest.dropLast("/stream".count))
            let from = try query.integer("fromSeq", in: Self.seqs)
            return .stream(id, after: try lastEventSeq(request) ?? from, try options(request, query))
        }
        if !streamsOnly, let route = try command(request, rest: rest) { return route }
        if !streamsOnly, rest.hasSuffix("/events") {
            let query = try QueryReader(request, allowed: ["fromSeq", "limit"] + QueryReader.selectionNames)
            let id = try runID(rest.dropLast("/events".count))
            let after = try query.integer("fromSeq", in: Self.seqs) ?? 0
            let limit = try query.integer("limit", in: 1...1000) ?? 100
            return .events(id, after: after, limit: Int(limit), try query.selection())
        }
        if streamsOnly { throw Problem(.notFound, "nothing is here", given: request.path) }
        _ = try QueryReader(request, allowed: [])
        return .run(try runID(rest))
    }

    func runID(_ text: Substring) throws(Problem) -> RunID {
        guard let id = RunID(text) else {
            throw Problem(
                .runNotFound, "no run can have this id", given: String(text), allowed: "1 to 256 characters of A-Z a-z 0-9 . _ : / -")
        }
        return id
    }

    /// The header of a reconnecting event source: it knows what it has, the query only what it first asked for.
    private func lastEventSeq(_ request: Request) throws(Problem) -> Int64? {
        guard let text = request.lastEventID, !text.isEmpty else { return nil }
        guard let seq = Int64(text), Self.seqs.contains(seq) else {
            throw Problem.parameter("Last-Event-ID", given: text, allowed: "the id of an event of this stream: a whole number")
        }
        return seq
    }

    private func repositories(_ request: Request) throws(Problem) -> Route {
        let query = try QueryReader(request, allowed: ["phase", "after", "limit"])
        let phase: RepositoryPhase? = try query.choice("phase")
        let after = query.text("after")
        if let after, !Syntax.isDID(after) { throw Problem.parameter("after", given: after, allowed: "the DID where the page before ended") }
        let limit = try query.integer("limit", in: 1...1000) ?? 100
        return .repositories(phase: phase, after: after, limit: Int(limit))
    }

    private func repository(_ request: Request, rest: Substring) throws(Problem) -> Route {
        _ = try QueryReader(request, allowed: [])
        if let change = Route.ScopeChange(rawValue: String(rest)) { return .changeScope(change) }
        guard Syntax.isDID(String(rest)) else {
            let verbs = Route.ScopeChange.allCases.map(\.rawValue).joined(separator: ", ")
            throw Problem(.badDID, "this is no DID", given: String(rest), allowed: "a DID, as did:plc:…, or one of \(verbs)")
        }
        return .repository(String(rest))
    }

    static let labelSubjectsMax = 100
    static let labelSourcesMax = 100

    private func labels(_ request: Request) throws(Problem) -> Route {
        let query = try QueryReader(request, allowed: ["uri", "src"])
        let (uris, sources) = (query.all("uri"), query.list("src"))
        guard (1...Self.labelSubjectsMax).contains(uris.count) else {
            throw Problem.parameter(
                "uri", given: "\(uris.count) values", allowed: "1 to \(Self.labelSubjectsMax) values, each with a name of its own: uri=…&uri=…")
        }
        for uri in uris where !Syntax.isLabelSubject(uri) {
            throw Problem.parameter("uri", given: uri, allowed: "at://did:…/…, or a DID for a whole account")
        }
        guard sources.count <= Self.labelSourcesMax else {
            throw Problem.parameter("src", given: "\(sources.count) values", allowed: "at most \(Self.labelSourcesMax) values")
        }
        for source in sources where !Syntax.isDID(source) { throw Problem.parameter("src", given: source, allowed: "the DID of a labeler") }
        return .labels(uris: uris, sources: sources)
    }

    private func merged(_ log: LiveLog, _ request: Request) throws(Problem) -> Route {
        let query = try QueryReader(request, allowed: ["cursor", "subscription"] + QueryReader.selectionNames)
        let options = try options(request, query)
        if let text = request.lastEventID, !text.isEmpty { return .merged(log, .at(try cursor(text, "Last-Event-ID")), options) }
        switch query.text("cursor") {
        case nil, "": return .merged(log, nil, options)
        case "now": return .merged(log, .now, options)
        case "earliest": return .merged(log, .earliest, options)
        case let text?: return .merged(log, .at(try cursor(text, "cursor")), options)
        }
    }

    private func cursor(_ text: String, _ place: String) throws(Problem) -> MergedCursor {
        guard let cursor = MergedCursor(text) else {
            throw Problem.parameter(place, given: text, allowed: "the id of an event of this stream, or now, or earliest")
        }
        return cursor
    }
}
