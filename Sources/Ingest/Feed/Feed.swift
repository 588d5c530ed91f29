public import Events

/// A kind of event stream of the protocol that is read into work streams: what it is called, and how it is asked for.
///
/// What its messages are and to which shards they go is ``FeedRouter``'s; everything else (leases, sessions, pauses, positions) is the same for all.
public struct Feed: Hashable, Sendable {
    /// Of its upstreams: one host may serve several feeds, each with a numbering of its own.
    public let kind: UpstreamName.Kind
    /// The XRPC method that is subscribed to.
    let method: String

    /// `com.atproto.sync.subscribeRepos` of relays and hosts: each message goes to the shard of its DID.
    public static let firehose = Feed(kind: .firehose, method: "com.atproto.sync.subscribeRepos")
    /// `com.atproto.label.subscribeLabels` of labelers: each message goes to every shard that one of its labels belongs to.
    public static let labels = Feed(kind: .labeler, method: "com.atproto.label.subscribeLabels")
}
