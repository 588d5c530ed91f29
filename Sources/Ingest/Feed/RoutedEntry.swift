import Events
import NIOCore

/// An entry on its way to a lane: its shard, what is known of it (`n` is not yet), and its frame as a slice of what the socket brought.
struct RoutedEntry: Hashable {
    var shard: Shard
    /// Its `frame` is empty.
    var entry: UpstreamEntry
    var frame: ByteBuffer
}
