/// What a work stream carries, of which every shard has one; ``StreamKeys/work(_:_:)`` names it.
public enum WorkTopic: String, Hashable, Sendable, CaseIterable {
    /// Messages of relays.
    case firehose
    /// Messages of labelers.
    case labels
}

/// A log that never ends, of which every shard has one run: `firehose/3`, `labels/3`.
public enum LiveLog: String, Hashable, Sendable, CaseIterable {
    case firehose, labels

    /// The upstreams that it is fed by.
    public var upstreams: UpstreamName.Kind {
        switch self {
        case .firehose: .firehose
        case .labels: .labeler
        }
    }
}
