/// Why the simulator did not start, or refused a request of the control API.
public struct SimulatorError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Code: String, Hashable, Sendable {
        /// A value of the configuration or of a control request is outside what is allowed.
        case invalidValue = "invalid_value"
        /// An address could not be bound.
        case bindFailed = "bind_failed"
        /// The file of the record could not be opened or written.
        case recordFailed = "record_failed"
        /// A repository of the network could not be made: a defect of the simulator itself.
        case buildFailed = "build_failed"
    }

    public var code: Code
    public var message: String
    /// The configuration key, address or path that it is about.
    public var entity: String
    /// What was thrown below, as text; empty where nothing was.
    public var cause: String

    public init(code: Code, message: String, entity: String, cause: String = "") {
        self.code = code
        self.message = message
        self.entity = entity
        self.cause = cause
    }

    public var description: String {
        "\(code.rawValue): \(entity): \(message)" + (cause.isEmpty ? "" : " (\(cause))")
    }
}
