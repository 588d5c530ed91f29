import Events

/// What an accepted stream delivers: of which runs, from where, which events in which shape.
struct StreamPlan: Hashable, Sendable {
    /// One, or for a merged stream all shards' in order.
    var runs: [RunID]
    /// Whether ids are ``MergedCursor``s rather than seqs.
    var isMerged: Bool
    /// The last seq that the client has, by run.
    var positions: [Int64]
    var selection: EventSelection
    /// Up to where each run was published when the client came: an outlet that was lost says nothing by itself, so a client that is told less by it reads
    /// on by itself. Empty: not known.
    var published: [Int64] = []
    var wire = StreamWire.sse
    /// Under which name it acknowledges.
    var subscription: SubscriptionBoard.Handle?
    /// The run has ended, and the client has all of it. Only of a WebSocket: an event source is answered 204.
    var isOver = false
}
