public import Events

/// One entry of a backfill stream as a reader gets it.
public struct ReadSnapshotEntry: Hashable, Sendable {
    public enum Content: Hashable, Sendable {
        case entry(SnapshotEntry)
        /// What is wrong with its fields.
        case undecodable(String)
    }

    public var id: EntryID
    public var content: Content
    /// Bytes of names and values.
    public var size: Int

    public init(id: EntryID, content: Content, size: Int) {
        self.id = id
        self.content = content
        self.size = size
    }
}
