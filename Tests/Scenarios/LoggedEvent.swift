/// What both sides are compared by: one event of one DID. Shares nothing with the pipeline's own types.
struct LoggedEvent: Hashable, Sendable, CustomStringConvertible {
    var kind: String
    var rev = ""
    var action = ""
    var path = ""
    var cid = ""
    /// Of identity and account events, which have no rev.
    var time = ""

    var description: String { [kind, rev, action, path, cid, time].filter { !$0.isEmpty }.joined(separator: " ") }
}
