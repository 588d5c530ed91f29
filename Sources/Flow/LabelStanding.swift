public import Events

/// What a labeler said last of one label, and whether another statement about it takes its place. A label is (src, uri, cid, val).
///
/// Of one upstream the later statement wins, by its position and then by its place in the message: also over a restart of the upstream's numbers,
/// which is a later epoch. Numbers of two upstreams say nothing to each other; where both bring labels of one source, the label's own time decides, and of
/// two of one time the withdrawal, so that whichever comes first, both orders end alike.
///
/// A statement that changes nothing is a duplicate, wherever it comes from: a labeler that starts anew repeats all that it has.
/// Source: the specification of labels; ATPROTO, "Labels".
public struct LabelStanding: Hashable, Sendable {
    /// What became of the label's signature.
    public enum Signature: String, Hashable, Sendable, CaseIterable {
        case valid
        /// It has none, which is common.
        case unsigned
        /// It did not verify: only a lenient fleet delivers such a label.
        case invalid
    }

    public enum Verdict: Hashable, Sendable {
        case applies
        /// It says what stands already.
        case duplicate
        /// Something later stands already.
        case stale
    }

    /// The label is withdrawn.
    public var neg: Bool
    /// The labeler's own text, as it came, and what it says.
    public var cts: String
    public var createdAt: WallTime
    /// The same of when it ends; empty and nil where it does not.
    public var exp: String
    public var expiresAt: WallTime?
    public var ver: Int64?
    public var signature: Signature
    /// The upstream that brought it, and where in it.
    public var host: String
    public var position: Position
    /// Among the labels of its message, from 0.
    public var place: Int

    public init(
        neg: Bool, cts: String, createdAt: WallTime, exp: String = "", expiresAt: WallTime? = nil, ver: Int64? = nil, signature: Signature,
        host: String, position: Position, place: Int
    ) {
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

    /// What is to become of another statement about the same label.
    public func verdict(on other: LabelStanding) -> Verdict {
        let isSameUpstream = other.host == host
        if isSameUpstream, (other.position, other.place) <= (position, place) { return says(other) ? .duplicate : .stale }
        if says(other) { return .duplicate }
        return isSameUpstream || isOlder(than: other) ? .applies : .stale
    }

    private func says(_ other: LabelStanding) -> Bool {
        neg == other.neg && cts == other.cts && exp == other.exp && ver == other.ver && signature == other.signature
    }

    private func isOlder(than other: LabelStanding) -> Bool {
        createdAt == other.createdAt ? !neg && other.neg : createdAt < other.createdAt
    }
}
