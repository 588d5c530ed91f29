public import Events

/// What was said last of one label, as its row stands; withdrawals too.
public struct StoredLabel: Hashable, Sendable {
    public enum Signature: String, Hashable, Sendable, CaseIterable { case valid, unsigned, invalid }

    /// Which label it is, by digests: of the subject's address, and of source, version and value. `ATProto.LabelIdentity` makes them.
    public struct Key: Hashable, Sendable {
        public var subject: [UInt8]
        public var label: [UInt8]
        public init(subject: [UInt8], label: [UInt8]) {
            self.subject = subject
            self.label = label
        }
    }

    public var key: Key
    public var src: String
    public var uri: String
    /// Empty where it is about every version.
    public var cid: String
    public var val: String
    /// It is withdrawn.
    public var neg: Bool
    /// The labeler's own texts, as they came, with what they say; `exp` empty where it does not end.
    public var cts: String
    public var createdAt: WallTime
    public var exp: String
    public var expiresAt: WallTime?
    public var ver: Int64?
    public var signature: Signature
    /// The upstream that brought it, and where in it: position, and place among the labels of the message.
    public var host: String
    public var position: Position
    public var place: Int

    public init(
        key: Key, src: String, uri: String, cid: String, val: String, neg: Bool, cts: String, createdAt: WallTime, exp: String,
        expiresAt: WallTime?, ver: Int64?, signature: Signature, host: String, position: Position, place: Int
    ) {
        self.key = key
        self.src = src
        self.uri = uri
        self.cid = cid
        self.val = val
        self.neg = neg
        self.cts = cts
        self.createdAt = createdAt
        self.exp = exp
        self.expiresAt = expiresAt
        self.ver = ver
        self.signature = signature
        self.host = host
        self.position = position
        self.place = place
    }
}
