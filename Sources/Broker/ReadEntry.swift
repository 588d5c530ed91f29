public import Events

/// One entry of a work stream as a reader gets it.
public struct ReadEntry: Sendable {
    public enum Content: Sendable {
        case entry(UpstreamEntry)
        /// Not what Weir writes: what was found, for the refusal.
        case undecodable(String)
    }
    public var id: EntryID
    public var content: Content
    /// Bytes of the entry's fields, for bounds.
    public var size: Int
    public init(id: EntryID, content: Content, size: Int) {
        self.id = id
        self.content = content
        self.size = size
    }
}
