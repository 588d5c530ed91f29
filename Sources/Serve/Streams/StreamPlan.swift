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
}
