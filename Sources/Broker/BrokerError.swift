/// Why Redis did not do what the broker asked.
public struct BrokerError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Code: String, Hashable, Sendable, CaseIterable {
        /// No connection, or it ended: retry after a back-off.
        case unavailable
        /// Redis is at `maxmemory`: pause, and retry when trims have made room.
        case outOfMemory
        /// A replica, or loading its data: retry.
        case notWritable
        /// The id of an outlet entry is not above the stream's top: already published, or a foreign entry.
        case idTooSmall
        /// A key holds another type, or an entry another shape than Weir writes: our own corruption, or somebody else's key.
        case corrupt
        /// Anything else, as the message says.
        case other
    }

    public var code: Code
    public var message: String
    /// The key or command it happened at.
    public var place: String

    public init(code: Code, message: String, place: String) {
        self.code = code
        self.message = message
        self.place = place
    }

    public var description: String { "\(code.rawValue) at \(place): \(message)" }
}
