/// One entry of a work stream: what an ingester read from an upstream, or says about its session.
///
/// In Redis the fields stand in the order of ``Field``, readable ones first, the original frame last and only where there is one:
/// `host session n epoch seq kind gap shed did rev time frame`. A field without a value is left out.
public struct UpstreamEntry: Hashable, Sendable {
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// The first entry (n = 0) of a session in a shard.
        case open
        /// "All of this upstream up to `seq` is in front of this line."
        case barrier
        case commit, sync, identity, account
        /// A message of a labeler. It stands in the stream of each shard that one of its labels belongs to.
        case labels
        /// A message inside intact framing that could not be split, or of a type without a key: kept, counted as refused, passed.
        case malformed
        /// A message of a type that Weir does not know; the specification says to ignore it. Counted and passed.
        case unknown
    }

    public enum Field: String, CaseIterable, Sendable {
        case host, session, n, epoch, seq, kind, gap, shed, did, rev, time, frame
    }

    /// The upstream, as configured: host and, where it is not the default, port; or a labeler's DID.
    public var host: String
    /// The number of the connection start, from Postgres; grows over all upstreams.
    public var session: Int64
    /// Dense from 0 in each (session, shard).
    public var n: Int64
    /// The upstream's position: of the message; at a barrier of the last message before it; at `open`
    /// the position after which every message is in the session.
    public var position: Position
    public var kind: Kind
    /// At `open`, where the upstream no longer has the positions that were asked for: the declared gap in front of the session.
    public var gap: Gap?
    /// At a barrier of a halted shard that has reached its quota: messages before this barrier were left out, and its watermark must not rise.
    public var shed: Bool
    /// Key of the message; empty at `open`, `barrier`, `labels` (whose labels have one each), `malformed` and `unknown`.
    public var did: String
    /// At a commit or sync, otherwise empty.
    public var rev: String
    /// The upstream's own text, as it came; empty where the message has none.
    public var time: String
    /// The message as it came from the socket; empty at `open` and `barrier`.
    public var frame: [UInt8]

    /// Positions that the upstream itself no longer has: after `after`, up to and including `through`.
    public struct Gap: Hashable, Sendable {
        public var after: Position
        public var through: Position
        public init(after: Position, through: Position) {
            self.after = after
            self.through = through
        }
    }

    public init(
        host: String, session: Int64, n: Int64, position: Position, kind: Kind, gap: Gap? = nil, shed: Bool = false, did: String = "",
        rev: String = "", time: String = "", frame: [UInt8] = []
    ) {
        self.host = host
        self.session = session
        self.n = n
        self.position = position
        self.kind = kind
        self.gap = gap
        self.shed = shed
        self.did = did
        self.rev = rev
        self.time = time
        self.frame = frame
    }
}
