/// An `#account`: the account's hosting state at the host that speaks.
public struct AccountMessage: Hashable, Sendable {
    public var seq: Int64
    public var did: String
    /// The host's own text, as it came.
    public var time: String
    public var active: Bool
    /// Why it is not active: `takendown suspended deleted deactivated desynchronized throttled` or another word.
    public var status: String?

    public init(seq: Int64, did: String, time: String, active: Bool, status: String? = nil) {
        self.seq = seq
        self.did = did
        self.time = time
        self.active = active
        self.status = status
    }

    /// The message as a host sends it.
    public func frame() -> [UInt8] {
        var writer = CBORWriter()
        FrameHeader.write("#account", into: &writer)
        writer.map(count: status == nil ? 4 : 5)
        writer.text("did")
        writer.text(did)
        writer.text("seq")
        writer.integer(seq)
        writer.text("time")
        writer.text(time)
        writer.text("active")
        writer.bool(active)
        if let status {
            writer.text("status")
            writer.text(status)
        }
        return writer.bytes
    }
}
