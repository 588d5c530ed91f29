import Flow

/// Why a target did not take a batch.
public struct DeliveryError: Error, Sendable, CustomStringConvertible {
    public enum Code: Hashable, Sendable {
        /// It looked at the events and refuses them.
        case poison
        /// It failed, or could not be reached: later it may take them. It may say when.
        case transient(retryAfter: Duration?)
        /// The wait for it was cancelled: nothing is known.
        case cancelled
    }

    public var code: Code
    /// Of at most some hundred characters, without secrets.
    public var description: String

    public init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }

    static func transient(_ description: String) -> DeliveryError { DeliveryError(.transient(retryAfter: nil), description) }
}
