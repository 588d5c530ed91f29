public import Events
public import NIOCore

/// One entry to append to a work stream: the header fields, and the original frame as it came from the socket, not copied.
public struct AppendItem: Sendable {
    public var shard: Shard
    /// Its `frame` is empty: the bytes are in ``frame``.
    public var entry: UpstreamEntry
    /// Nil at `open` and `barrier`.
    public var frame: ByteBuffer?

    public init(shard: Shard, entry: UpstreamEntry, frame: ByteBuffer? = nil) {
        self.shard = shard
        self.entry = entry
        self.frame = frame
    }
}

/// What became of one appended item.
public enum AppendResult: Sendable, Hashable {
    case written(EntryID)
    /// Redis answered with an error (a full Redis refuses one entry and may take the next): nothing was written for this item.
    case refused(BrokerError)
    /// The connection ended before the answer: the item may stand in the stream. Appending it again is right, readers drop repeats by n.
    case unknown(BrokerError)
}
