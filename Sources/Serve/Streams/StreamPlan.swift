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
    var wire = StreamWire.sse
    /// Under which name it acknowledges.
    var subscription: SubscriptionBoard.Handle?
    /// The run has ended, and the client has all of it. Only of a WebSocket: an event source is answered 204.
    var isOver = false
}
