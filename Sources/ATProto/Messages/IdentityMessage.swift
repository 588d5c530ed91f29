/// An `#identity`: the DID's document or handle may have changed.
public struct IdentityMessage: Hashable, Sendable {
    public var seq: Int64
    public var did: String
    /// The host's own text, as it came.
    public var time: String
    /// Nil where the host does not say; the message is valid all the same.
    public var handle: String?

    public init(seq: Int64, did: String, time: String, handle: String? = nil) {
        self.seq = seq
        self.did = did
        self.time = time
        self.handle = handle
    }

    /// The message as a host sends it.
    public func frame() -> [UInt8] {
        var writer = CBORWriter()
        FrameHeader.write("#identity", into: &writer)
        writer.map(count: handle == nil ? 3 : 4)
        writer.text("did")
        writer.text(did)
        writer.text("seq")
        writer.integer(seq)
        writer.text("time")
        writer.text(time)
        if let handle {
            writer.text("handle")
            writer.text(handle)
        }
        return writer.bytes
    }
}
