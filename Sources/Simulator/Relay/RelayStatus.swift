/// What a relay has done so far, for `/sim/status`.
public struct RelayStatus: Hashable, Sendable, Encodable {
    public var name: String
    public var address: String
    public var firstSeqKept: Int64
    public var lastSeq: Int64
    public var messages: Int
    public var windowEntries: Int
    public var windowBytes: Int
    /// Messages that it was given and has not numbered yet: they trade places or are delayed.
    public var held: Int
    public var connections: Int
    public var connectionsTotal: Int
    public var framesSent: Int
    public var bytesSent: Int
    public var readersTooSlow: Int
    /// How far the slowest reader is behind.
    public var lagBytesMax: Int

    enum CodingKeys: String, CodingKey {
        case name, address, messages, held, connections
        case firstSeqKept = "first_seq_kept"
        case lastSeq = "last_seq"
        case windowEntries = "window_entries"
        case windowBytes = "window_bytes"
        case connectionsTotal = "connections_total"
        case framesSent = "frames_sent"
        case bytesSent = "bytes_sent"
        case readersTooSlow = "readers_too_slow"
        case lagBytesMax = "lag_bytes_max"
    }
}
