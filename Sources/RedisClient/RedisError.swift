/// Why there are no replies, or not those that were expected.
public struct RedisError: Error, Sendable, CustomStringConvertible {
    public enum Code: String, Sendable, Hashable, CaseIterable {
        /// The URL or a setting is wrong; the message says which and what is allowed, never a password.
        case invalidConfiguration
        /// No connection could be made, or its first commands (AUTH, SELECT) were refused; ``RedisError/serverError`` has the answer then.
        case connectFailed
        /// The connection ended before all replies had come.
        case connectionClosed
        /// The replies did not come in time. The connection is closed: a late reply would be taken for another command's.
        case timedOut
        /// The waiting task was cancelled. Where the batch was on the wire, the connection is closed.
        case cancelled
        /// What came is not RESP, or a reply is above the size limit. The connection is closed.
        case protocolViolation
        /// Too many callers wait for this connection already.
        case overloaded
        /// A reply of another type than the caller asked for.
        case unexpectedReply
        /// Redis answered with an error; ``RedisError/serverError`` has it.
        case serverError
        /// The client was shut down.
        case shutDown
    }

    public var code: Code
    public var message: String
    /// What was underneath, as text.
    public var cause: String
    /// The first command of the batch and the address, as far as known.
    public var place: String
    public var serverError: RedisServerError?
    /// Whether Redis may have run any command that is not in ``answered``. False: sending again cannot do anything twice.
    public var mayHaveExecuted: Bool
    /// The replies that came before the failure, for the batch's first commands.
    public var answered: [RedisValue]

    public init(
        code: Code, message: String, cause: String = "", place: String = "", serverError: RedisServerError? = nil, mayHaveExecuted: Bool = false,
        answered: [RedisValue] = []
    ) {
        self.code = code
        self.message = message
        self.cause = cause
        self.place = place
        self.serverError = serverError
        self.mayHaveExecuted = mayHaveExecuted
        self.answered = answered
    }

    public init(_ error: RedisServerError, place: String = "") {
        self.init(code: .serverError, message: error.message, place: place, serverError: error)
    }

    public var description: String {
        var text = "\(code.rawValue): \(message)"
        if !cause.isEmpty { text += " (\(cause))" }
        if !place.isEmpty { text += " at \(place)" }
        return text
    }
}
