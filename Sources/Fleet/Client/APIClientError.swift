/// Why the API did not give what was asked.
public struct APIClientError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Code: String, Hashable, Sendable, CaseIterable {
        /// Nobody answers at that address.
        case unreachable
        /// It answered with an error; ``APIClientError/status`` says which.
        case refused
        /// It answered with something that Weir does not say.
        case strange
    }

    public var code: Code
    public var message: String
    /// The HTTP status of a refusal, else 0.
    public var status: Int

    public init(code: Code, message: String, status: Int = 0) {
        self.code = code
        self.message = message
        self.status = status
    }

    public var description: String { message }
}
