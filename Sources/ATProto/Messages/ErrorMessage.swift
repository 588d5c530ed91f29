/// An error frame (`op` −1), after which the server closes: `FutureCursor`, `ConsumerTooSlow`.
public struct ErrorMessage: Hashable, Sendable {
    public var error: String
    public var message: String?

    public init(error: String, message: String? = nil) {
        self.error = error
        self.message = message
    }

    /// The frame as a host sends it.
    public func frame() -> [UInt8] {
        var writer = CBORWriter()
        FrameHeader.writeError(into: &writer)
        writer.map(count: message == nil ? 1 : 2)
        writer.text("error")
        writer.text(error)
        if let message {
            writer.text("message")
            writer.text(message)
        }
        return writer.bytes
    }
}
