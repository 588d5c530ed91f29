/// What came of an order: messages that every relay sends, and what no message tells.
struct NetworkChange: Sendable {
    var events: [NetworkEvent] = []
    var fork: NetworkFork?
}

/// A host that lost commits which the relays have sent.
struct NetworkFork: Hashable, Sendable {
    var did: String
    /// Of the commit that it turned back to.
    var rev: String
    /// The revs of those that it lost, in order.
    var lost: [String]
}
