public import Events

extension UpstreamEntry {
    /// What the entry takes in Redis and in our buffers, within a few tens of bytes: the frame, the texts, and 120 for the rest.
    public var approximateBytes: Int { 120 + frame.count + did.utf8.count + rev.utf8.count + time.utf8.count + host.utf8.count }
}
