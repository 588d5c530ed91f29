/// Why a process of the fleet does not start, or ended.
public struct FleetError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Code: String, Hashable, Sendable, CaseIterable {
        /// The schema is missing or of another version: `weir migrate`.
        case notMigrated
        /// Redis or Postgres does not answer.
        case unavailable
        /// What was asked for cannot be: a value that only shows itself to be wrong when it is used.
        case refused
    }

    public var code: Code
    public var message: String

    public init(code: Code, message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
