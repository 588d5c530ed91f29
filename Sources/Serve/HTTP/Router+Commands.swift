import Events
import NIOHTTP1

/// Paths of a run under which something is asked of it: its last segment, behind the id.
extension Router {
    /// Nil where the path is none of these.
    func command(_ request: Request, rest: Substring) throws(Problem) -> Route? {
        if rest.hasSuffix("/snapshot") { return try snapshot(request, id: try runID(rest.dropLast("/snapshot".count))) }
        if rest.hasSuffix("/finish") { return .finish(try runID(rest.dropLast("/finish".count)), expectedSeq: try expectedSeq(request)) }
        if rest.hasSuffix("/cancel") { return .cancel(try runID(rest.dropLast("/cancel".count)), expectedSeq: try expectedSeq(request)) }
        guard rest.hasSuffix("/events"), request.method == .POST else { return nil }
        return .append(
            try runID(rest.dropLast("/events".count)), expectedSeq: try expectedSeq(request), isLines: request.body.mediaType == Self.linesMediaType)
    }

    static let linesMediaType = "application/x-ndjson"

    private func expectedSeq(_ request: Request) throws(Problem) -> Int64? {
        try QueryReader(request, allowed: ["expectedSeq"]).integer("expectedSeq", in: Self.seqs)
    }

    private func snapshot(_ request: Request, id: RunID) throws(Problem) -> Route {
        let query = try QueryReader(request, allowed: ["limit", "cursor"])
        var after: SnapshotCursor?
        if let text = query.text("cursor") {
            guard let cursor = SnapshotCursor(text) else { throw Problem.parameter("cursor", given: text, allowed: "the cursor of the page before") }
            after = cursor
        }
        let limit = try query.integer("limit", in: 1...1000) ?? 1000
        return .snapshot(id, after: after, limit: Int(limit))
    }
}
