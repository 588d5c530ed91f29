/// An `#info` about the stream itself, without a number: `OutdatedCursor`.
public struct InfoMessage: Hashable, Sendable {
    public var name: String
    public var message: String?

    public init(name: String, message: String? = nil) {
        self.name = name
        self.message = message
    }

    /// The message as a host sends it.
    public func frame() -> [UInt8] {
        var writer = CBORWriter()
        FrameHeader.write("#info", into: &writer)
        writer.map(count: message == nil ? 1 : 2)
        writer.text("name")
        writer.text(name)
        if let message {
            writer.text("message")
            writer.text(message)
        }
        return writer.bytes
    }
}
