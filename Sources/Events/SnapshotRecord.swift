/// One record of a repository as a fetch brought it, verified.
public struct SnapshotRecord: Hashable, Sendable {
    /// `collection/rkey`.
    public var path: String
    /// As text.
    public var cid: String
    /// A JSON value in UTF-8.
    public var body: [UInt8]

    public init(path: String, cid: String, body: [UInt8]) {
        self.path = path
        self.cid = cid
        self.body = body
    }

    public var collection: String { String(path[..<slash]) }
    public var rkey: String { String(path[slash...].dropFirst()) }

    /// By bytes: the slash of a path stands alone, and no character has to be put together to find it.
    private var slash: String.Index { path.utf8.firstIndex(of: UInt8(ascii: "/")) ?? path.endIndex }
}
