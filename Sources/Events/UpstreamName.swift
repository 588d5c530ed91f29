/// An upstream by the kind of its endpoint and its host: the same host may be a relay and a labeler, with numberings of their own.
public struct UpstreamName: Hashable, Sendable, CustomStringConvertible {
    public enum Kind: String, Hashable, Sendable, CaseIterable { case firehose, labeler, changes, backfill }
    public var kind: Kind
    /// `host` or `host:port`, lower case, no scheme. A labeler that is configured by its DID has that DID as its name: its host may change.
    public var host: String
    public init(kind: Kind, host: String) {
        self.kind = kind
        self.host = host
    }
    public var description: String { "\(kind.rawValue)/\(host)" }
}
